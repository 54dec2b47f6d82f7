/** Programs of random operations are answered as Apache ZooKeeper answers them, and what is meant to differ is told in the docs. */
import { readFileSync } from "node:fs";
import test from "ava";
import { Campaign } from "./differential/campaign.ts";
import { compare, describe } from "./differential/compare.ts";
import { Coverage } from "./differential/coverage.ts";
import { programOf } from "./differential/generate.ts";
import { INTENDED } from "./differential/intended.ts";
import type { Line, Lines } from "./differential/lines.ts";
import { ODD_INPUT } from "./differential/odd-input.ts";
import { PLACES, placeOf } from "./differential/places.ts";
import type { Step } from "./differential/program.ts";
import { startServers } from "./differential/targets.ts";

const PROGRAMS = 200;
const AT_ONCE = 24;
const DOCS = new URL("../../docs/compatibility-differences.md", import.meta.url);

test(`${PROGRAMS} programs differ nowhere but where they are meant to`, async (t) => {
  t.timeout(600_000);
  const servers = await startServers(PLACES);
  t.teardown(() => servers.stop());
  const differing: string[] = [];
  const campaign = new Campaign(servers, {
    ...{ first: 1, programs: PROGRAMS, atOnce: AT_ONCE, differencesMax: 3, shrinks: true },
    found: ({ seed, place, program, difference }) => {
      differing.push(`seed ${seed} on ${place}\n${describe(program, difference)}`);
    },
  });
  const totals = await campaign.run();
  t.deepEqual(differing, []);
  t.is(totals.programs, PROGRAMS);
  t.true(totals.steps > 10 * PROGRAMS);
  // The rare ones come in long campaigns.
  for (const each of ["open granted", "getData 0", "create -101", "event 3", "multi 0"]) {
    t.false(totals.coverage.missing().includes(each), each);
  }
});

test("an outcome that never came is missed, and one that came is counted", (t) => {
  const coverage = new Coverage();
  t.true(coverage.missing().includes("getData -101"));
  const request = { op: "getData", path: "~", watch: 0 };
  const step: Step = { kind: "send", client: 0, requests: [request] };
  const line: Line = { kind: "reply", text: "reply", zxid: "", request, code: -101 };
  coverage.add(
    { seed: 1, isLimited: false, steps: [step] },
    new Map([[0, new Map([[0, [line]]])]]),
  );
  t.false(coverage.missing().includes("getData -101"));
  t.true(coverage.missing().includes("getData 0"));
  t.deepEqual(coverage.table(), ["getData  -101 ×1"]);
});

test("each intended difference that programs find has its reason in the docs, and none is there in vain", (t) => {
  const [, table = ""] = readFileSync(DOCS, "utf8").split(/^## .*$/m);
  const rows = [...table.matchAll(/^\| ([^|]+?) \|/gm)].map((match) => match[1] ?? "");
  const names = rows.filter((name) => name !== "what" && !name.startsWith("---"));
  t.deepEqual(names.toSorted(), [...new Set(INTENDED.map(({ name }) => name))].toSorted());
});

test("programs hold each kind of odd input", (t) => {
  const programs = Array.from({ length: PROGRAMS }, (_, index) => {
    return programOf(index + 1, placeOf(index + 1, PLACES));
  });
  for (const [name, holds] of Object.entries(ODD_INPUT)) {
    t.true(programs.some(holds), name);
  }
});

test("a program is the same each time it is made of its seed", (t) => {
  t.deepEqual(programOf(7, "lone"), programOf(7, "lone"));
  t.notDeepEqual(programOf(7, "lone").steps, programOf(8, "lone").steps);
});

test("a code, an order, a line and a zxid that differ are found", (t) => {
  const program = programOf(1, "lone");
  const line = (text: string, zxid: string): Line => ({ kind: "reply", text, zxid });
  const both = [line("reply to 0 exists err=0", "1.0"), line("reply to 1 exists err=-101", "1.0")];
  const linesOf = (lines: readonly Line[]): Lines => new Map([[1, new Map([[0, lines]])]]);
  t.deepEqual(compare(program, linesOf(both), linesOf(both)).differences, []);
  const others: readonly (readonly Line[])[] = [
    [line("reply to 0 exists err=-5", "1.0"), ...both.slice(1)],
    both.toReversed(),
    both.slice(1),
    [line("reply to 0 exists err=0", "1.1"), ...both.slice(1)],
  ];
  for (const ours of others) {
    t.is(compare(program, linesOf(both), linesOf(ours)).differences.length, 1);
  }
});
