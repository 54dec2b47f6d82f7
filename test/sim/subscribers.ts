/** A plan with many subscribers of the same znodes in few native clients, which move from node to node. */
import type { Workload } from "./client/workload.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

const KINDS: readonly FaultKind[] = ["moveClient", "moveAllClients", "kill", "killLeader", "heal"];
const CLIENTS = 2;
const MIX: Workload["mix"] = {
  ...{ setData: 1, create: 0.5, delete: 0.3, sequential: 0.3, ephemeral: 0.2, consume: 0.3 },
  ...{ multi: 0, lifetime: 0, multiRead: 0, syncRead: 0, read: 0, watch: 0, close: 0 },
};

export function subscribers(plan: Plan, random: Random): Partial<Plan> {
  const workload = [...plan.natives.clients, ...plan.clients][0];
  if (workload === undefined) return {};
  const client = {
    ...workload,
    mix: MIX,
    dataBytes: 40,
    ...{ thinkMs: 10, outstandingMax: 4, keys: 5, flood: false, hog: false, slowReader: false },
    renewals: [],
  };
  return {
    nodes: random.pick([1, 3]),
    network: { ...plan.network, lossRate: 0, lateRate: 0, delayMs: { min: 0.05, max: 3 } },
    diskMs: { min: 0.02, max: 1 },
    driftMax: 0,
    faultIntervalMs: random.pick([400, 800]),
    faults: { ...Object.fromEntries(KINDS.map((kind) => [kind, 0.2 + random.random()])), heal: 1 },
    ringBytes: random.pick([6000, 60_000, 600_000]),
    requestsMax: Math.max(plan.requestsMax, 800),
    natives: {
      clients: Array.from({ length: CLIENTS }, () => client),
      lossRate: random.pick([0, 0.002]),
      streamsMax: 8,
      grantMs: random.pick([10, 50, 300]),
    },
  };
}
