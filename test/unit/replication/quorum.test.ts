/**
 * Which acknowledgements count: a voter is a number and the folder that is bound to it, and a number in dispute counts for nobody.
 */
import test from "ava";
import { countedOf, countOf, quorumOf } from "../../../actors/quorum.ts";
import { type Configuration, withIdentity } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { ensembleOf, folderOf } from "../../support/peers.ts";
import { at, server } from "../../support/plain-calls.ts";

const first = ensembleOf(3);
const SINCE = at(2, 5);
/** Number 3 is bound to folder 9. */
const next = withIdentity(first, { id: server(3), identity: folderOf(9) }, SINCE);

function logged(
  ...configurations: Configuration[]
): { zxid: typeof SINCE; configuration: Configuration }[] {
  return configurations.map((configuration) => ({ zxid: configuration.since, configuration }));
}

/** `3=9`: folder 9 under number 3. */
function words(...of: string[]): Map<ServerId, string> {
  return new Map(
    of.map((word) => {
      const [id = 0, folder = 0] = word.split("=").map(Number);
      return [server(id), folderOf(folder)] as const;
    }),
  );
}

test("of n numbers more than half are a quorum", (t) => {
  t.deepEqual([1, 2, 3, 4, 5, 6, 7].map(quorumOf), [1, 2, 2, 3, 3, 4, 4]);
});

const before = countedOf(first, []);
const during = countedOf(first, logged(next));
const after = countedOf(next, []);

for (const { title, counted, of, count } of [
  { title: "each number's folder counts", counted: before, of: ["1=1", "3=3"], count: 2 },
  {
    title: "another folder under a number does not",
    counted: before,
    of: ["1=1", "3=9"],
    count: 1,
  },
  {
    title: "a folder under another's number does not",
    counted: before,
    of: ["1=2", "2=1"],
    count: 0,
  },
  { title: "a number that none has does not", counted: before, of: ["4=4"], count: 0 },
  {
    title: "while a change is open the old folder does not count",
    counted: during,
    of: ["2=2", "3=3"],
    count: 1,
  },
  {
    title: "while a change is open the new folder does not count",
    counted: during,
    of: ["2=2", "3=9"],
    count: 1,
  },
  {
    title: "while a change is open the others count",
    counted: during,
    of: ["1=1", "2=2"],
    count: 2,
  },
  { title: "after a change the new folder counts", counted: after, of: ["1=1", "3=9"], count: 2 },
  { title: "after a change the old folder does not", counted: after, of: ["1=1", "3=3"], count: 1 },
  {
    title: "without an ensemble nobody counts",
    counted: countedOf(undefined, []),
    of: ["1=1"],
    count: 0,
  },
] as const) {
  test(title, (t) => t.is(countOf(counted, words(...of)), count));
}

test("a second change that is open adds its number to those in dispute", (t) => {
  const second = withIdentity(next, { id: server(2), identity: folderOf(8) }, at(2, 6));
  t.deepEqual([...countedOf(first, logged(next, second)).keys()], [server(1)]);
  t.deepEqual([...countedOf(next, logged(second)).keys()], [1, 3].map(server));
});
