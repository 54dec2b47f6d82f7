/** Native clients that lose their nodes while much of what they have asked is under way. */
import type { Workload } from "./client/workload.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** What they ask again comes to other nodes, of which some have just loaded a snapshot, in many small pieces. */
export function repeats(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = [
    "moveClient",
    "moveClient",
    "moveAllClients",
    "moveAllClients",
    "kill",
    "killLeader",
    "wrongElection",
    "crashAtSnapshot",
    "isolate",
    "heal",
    "heal",
  ];
  const [workload] = plan.clients;
  const writer = (each: Workload): Workload => ({
    ...each,
    mix: MIX,
    ...{ thinkMs: 2, outstandingMax: 16, dataBytes: 40, renewals: [], timeoutMs: 8000 },
    ...{ flood: false, hog: false },
  });
  const writers = workload === undefined ? [] : [workload, workload, workload].map(writer);
  return {
    nodes: 3,
    segmentBytes: 4096,
    snapshotEveryBytes: 4096,
    snapshotChunkBytes: random.pick([100, 300, 1000]),
    failoverGraceMs: 500,
    network: { ...plan.network, lossRate: 0, delayMs: { min: 0.05, max: random.pick([1, 10]) } },
    clientDelayMs: { min: 0.05, max: random.pick([3, 30]) },
    natives: {
      clients: writers,
      lossRate: random.pick([0, 0.01, 0.05]),
      streamsMax: 1,
      grantMs: 10,
    },
    clients: plan.clients.map((each) => ({ ...each, renewals: [] })),
    faultIntervalMs: random.pick([50, 100, 200]),
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0.5 + random.random()])),
    durationMs: 6000,
    requestsMax: 1500,
  };
}

const MIX: Workload["mix"] = {
  ...{ setData: 2, create: 1, delete: 0.5, sequential: 2, ephemeral: 0.5, consume: 1, multi: 1 },
  ...{ lifetime: 0, multiRead: 0, syncRead: 0.3, read: 1, watch: 0, close: 0 },
};
