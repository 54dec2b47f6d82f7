/** A node whose memory cannot hold the tree of its folder does not start. */
import test from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryProblem } from "../../../server/start-memory.ts";
import { memoryLimits } from "../../../server/memory-limits.ts";
import { create, Replica } from "../../support/replica.ts";
import { cut } from "../../support/snapshots.ts";

test("the newest snapshot says how much memory its znodes take at least", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zooid-start-memory-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  t.is(memoryProblem(folder, 1, 1), undefined, "there is no snapshot");
  const replica = new Replica();
  const session = replica.session();
  for (let index = 0; index < 100; index += 1) replica.do(session, create(`/n${index}`));
  const chunks = cut(replica);
  writeFileSync(join(folder, "snapshot.0000000000000065"), Buffer.concat(chunks));
  t.is(memoryProblem(folder, 20_000, 2), undefined);
  t.regex(
    memoryProblem(folder, 5_000, 2) ?? "",
    /^the tree in .* \(10\d znodes and sessions\) takes 1 MB of memory or more and each of the 2 lanes of this process has 1 MB for it: start it with fewer lanes/,
  );
  t.regex(
    memoryProblem(folder, 5_000, 1) ?? "",
    /and this process has 1 MB for it: start it where there is more memory$/,
  );
});

test("the tree may take a quarter of the memory, shared by the lanes, and stops the node at more than its share", (t) => {
  const none = { maxTreeBytes: 0, maxSessions: 0, maxWatches: 0, maxHeldBytes: 0 };
  const { tree } = memoryLimits({ ...none, lanes: 2 }, { heapBytes: 1e9, memoryBytes: 8e9 });
  t.is(tree.bytesMax, 1e9);
  t.is(tree.bytesStop, 3.2e9);
  const { tree: set } = memoryLimits(
    { ...none, lanes: 1, maxTreeBytes: 5e9 },
    { heapBytes: 1e9, memoryBytes: 8e9 },
  );
  t.is(set.bytesMax, 5e9);
});
