/** What nodes remember of an election, put side by side. */
import test from "ava";
import { failoversOf, type SeenElection, tookMs } from "../../../dashboard/src/format/elections.ts";

type Line = readonly [
  atMs: number,
  event: string,
  detail?: SeenElection["steps"][number]["detail"],
];

function seen(...lines: readonly Line[]): SeenElection {
  const steps = lines.map(([atMs, event, detail = {}]) => ({ atMs, event, detail }));
  return { steps, omitted: 0 };
}

const START = 1_000_000;

test("an election is one, with the phases of each node, whoever saw it", (t) => {
  const leader = seen(
    [START + 500, "looking", { was: "following", reason: "silent", silentMs: 500 }],
    [START + 560, "elected", { leader: 2 }],
    [START + 570, "establishing", { epoch: 4 }],
    [START + 590, "leading", { epoch: 4 }],
  );
  const follower = seen(
    [START + 510, "looking", { was: "following", reason: "gone" }],
    [START + 561, "elected", { leader: 2 }],
    [START + 600, "following", { leader: 2, epoch: 4 }],
  );
  const [failover, ...others] = failoversOf([
    { node: 3, elections: [follower] },
    { node: 2, elections: [leader] },
  ]);
  t.deepEqual(others, []);
  t.like(failover, {
    ...{ kind: "election", epoch: 4, leader: 2, fromMs: START, toMs: START + 600 },
    nodes: [
      { node: 2, role: "leads", reason: "silent", fromMs: START, toMs: START + 590 },
      { node: 3, role: "follows", reason: "gone", fromMs: START + 510, toMs: START + 600 },
    ],
  });
  const phases = (["silence", "vote", "promise", "commit", "follow"] as const).map((phase) =>
    failover?.nodes.map((view) => tookMs(view, phase)),
  );
  t.deepEqual(phases, [
    [500, undefined],
    [60, 51],
    [10, undefined],
    [20, undefined],
    [undefined, 39],
  ]);
});

test("a node that comes back later to the same epoch is an event of its own, the newest first", (t) => {
  const election = seen([START, "started"], [START + 9, "leading", { epoch: 1 }]);
  const back = seen(
    [START + 60_000, "started"],
    [START + 60_010, "following", { leader: 1, epoch: 1 }],
  );
  const all = failoversOf([
    { node: 1, elections: [election] },
    { node: 2, elections: [back] },
  ]);
  t.deepEqual(
    all.map(({ fromMs, nodes }) => [fromMs, nodes.length]),
    [
      [START + 60_000, 1],
      [START, 1],
    ],
  );
});

test("one that is under way has no end, and a handover is called that", (t) => {
  const [way] = failoversOf([
    { node: 1, elections: [seen([START, "looking"], [START + 5, "elected"])] },
  ]);
  t.like(way, { kind: "election", epoch: undefined, leader: undefined, toMs: undefined });
  const gives = seen([START, "handingOver"], [START + 5, "following", { leader: 2, epoch: 3 }]);
  const takes = seen([START + 1, "takingOver"], [START + 4, "leading", { epoch: 3 }]);
  const handovers = failoversOf([
    { node: 1, elections: [gives] },
    { node: 2, elections: [takes] },
  ]);
  t.deepEqual(
    handovers.map(({ kind, leader }) => [kind, leader]),
    [["handover", 2]],
  );
});

test("what another version or a stranger says in place of numbers is left out", (t) => {
  const odd = seen(
    [START, "looking", { silentMs: "x", reason: 5 }],
    [START + 1, "following", { epoch: null }],
  );
  const [failover] = failoversOf([{ node: 1, elections: [odd, { steps: [], omitted: 0 }] }]);
  t.like(failover, { epoch: undefined, leader: undefined, fromMs: START });
  t.is(failover?.nodes[0]?.reason, undefined);
});
