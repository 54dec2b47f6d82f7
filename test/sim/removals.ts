/** The limits of removeRecursive in a run, small enough for the trees of simulated clients to meet them; and a plan with many of them. */
import { REMOVAL_LIMITS, type RemovalLimits } from "../../actors/tree/removal-limits.ts";
import { SNAPSHOT_CHUNK_BYTES_SOFT_MAX } from "../../protocol/limits.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** Clients' trees have up to fifteen znodes, with paths of four to ten characters. */
export function drawRemovals(random: Random): RemovalLimits {
  return {
    znodesMax: random.pick([4, 8, REMOVAL_LIMITS.znodesMax, REMOVAL_LIMITS.znodesMax]),
    recordMax: random.pick([8, 14, 20, 30]),
    pathUnit: random.pick([3, 5, REMOVAL_LIMITS.pathUnit]),
  };
}

/**
 * Clients that remove whole trees, on nodes of which some have loaded a snapshot and others have applied the log: siblings stand in another
 * order there.
 */
export function removals(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = ["heal", "kill", "kill", "isolate", "wipe", "killLeader"];
  const [first] = plan.clients;
  const clients = [...plan.clients];
  while (first !== undefined && clients.length < 3) clients.push(first);
  return {
    nodes: random.pick([3, 3, 5]),
    segmentBytes: 4096,
    snapshotEveryBytes: 4096,
    snapshotChunkBytes: random.pick([600, SNAPSHOT_CHUNK_BYTES_SOFT_MAX]),
    network: { ...plan.network, lossRate: 0, lateRate: 0, delayMs: { min: 0.05, max: 3 } },
    diskMs: { min: 0.02, max: 1 },
    faultIntervalMs: random.pick([400, 800]),
    faults: { ...Object.fromEntries(kinds.map((kind) => [kind, 0.2 + random.random()])), heal: 1 },
    driftMax: 0,
    removals: drawRemovals(random),
    memory: { ...plan.memory, treeBytes: Number.POSITIVE_INFINITY },
    requestsMax: Math.max(plan.requestsMax, 1200),
    clients: clients.map((workload) => ({
      ...workload,
      mix: { ...workload.mix, setData: 0.3, keeper: 8 },
      thinkMs: 3,
      dataBytes: 40,
      outstandingMax: Math.max(4, workload.outstandingMax),
      hog: false,
    })),
  };
}
