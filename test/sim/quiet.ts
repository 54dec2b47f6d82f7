/** Plans without faults, for stories about one thing. */
import { REMOVAL_LIMITS } from "../../actors/tree/removal-limits.ts";
import {
  CHANGE_RING_BYTES_MAX,
  GATEWAY_HELD_BYTES_MAX,
  STREAM_PENDING_BYTES_MAX,
} from "../../protocol/limits.ts";
import { LARGE_WINDOW_BYTES, sizesOf } from "./directed.ts";
import { drawPlan, NO_LIMITS, type Plan } from "./plan.ts";
import type { Range } from "./random.ts";

/** By then all nodes belong to an ensemble, have their votes, and clients have written. */
export const ENSEMBLE_WIDE_MS = 6000;
const CLIENTS = 4;

/** Whatever else the plan draws: there are reads, and writes of every kind. */
const MIX = {
  setData: 1,
  create: 0.3,
  delete: 0.2,
  sequential: 0.3,
  ephemeral: 0.2,
  consume: 0.3,
  lifetime: 0.3,
  multiRead: 0.2,
  multi: 0.3,
  read: 1,
  watch: 0.3,
  close: 0,
} as const;

/** `syncRead`: how often a client asks for a sync before a read. */
export function quietPlan(
  seed: number,
  of: {
    readonly nodes: number;
    readonly requestsMax: number;
    readonly segmentBytes?: number;
    readonly syncRead?: number;
  },
): Plan {
  const { nodes, requestsMax, segmentBytes = 64 * 1024, syncRead = 0 } = of;
  const plan = drawPlan(seed);
  return {
    ...plan,
    directed: undefined,
    nodes,
    segmentBytes,
    startMs: Array.from({ length: nodes }, () => 0),
    network: { ...plan.network, lossRate: 0, duplicationRate: 0, lateRate: 0 },
    diskMs: { min: 0.02, max: 1 },
    driftMax: 0,
    // Answers never wait for the leader's confirmation for so long that a client gives up.
    heartbeatIntervalMs: 50,
    faults: {},
    memory: { treeBytes: Number.POSITIVE_INFINITY, heldBytes: GATEWAY_HELD_BYTES_MAX },
    // Writes that wait for disk space count, and would keep a node from reading what else it is asked.
    clientLimits: NO_LIMITS,
    requestsMax,
    // There are several clients, since a write that waits for disk space holds up everything behind it.
    clients: Array.from({ length: CLIENTS }, () => plan.clients)
      .flat()
      .slice(0, CLIENTS)
      .map((workload) => ({
        ...workload,
        mix: { ...MIX, syncRead },
        thinkMs: 30,
        dataBytes: 40,
        flood: false,
        slowReader: false,
        hog: false,
      })),
    natives: { ...plan.natives, clients: [] },
    zookeepers: { ...plan.zookeepers, clients: [] },
  };
}

/** Without a client of its own. Nothing goes wrong by itself, and everything takes the same time whenever it happens. */
export function undisturbedPlan(nodes: number): Plan {
  return {
    seed: 1,
    directed: undefined,
    nodes,
    lanes: 1,
    threads: undefined,
    waitsForDisk: false,
    segmentBytes: 64 * 1024,
    // More than a story writes.
    snapshotEveryBytes: 1024 * 1024,
    heartbeatIntervalMs: 100,
    peerTimeoutMs: 1000,
    failoverGraceMs: 2000,
    minSessionTimeoutMs: 4000,
    network: { lossRate: 0, duplicationRate: 0, lateRate: 0, delayMs: always(1) },
    stragglers: { rate: 0, lateMs: always(0) },
    clientDelayMs: always(0.5),
    diskMs: always(0.1),
    durationMs: 0,
    faultIntervalMs: 0,
    faults: {},
    driftMax: 0,
    startMs: Array.from({ length: nodes }, () => 0),
    clients: [],
    requestsMax: 0,
    readers: undefined,
    feed: undefined,
    copies: false,
    sizes: sizesOf(LARGE_WINDOW_BYTES),
    snapshotChunkBytes: 64 * 1024,
    memory: { treeBytes: Number.POSITIVE_INFINITY, heldBytes: GATEWAY_HELD_BYTES_MAX },
    ringBytes: CHANGE_RING_BYTES_MAX,
    streamPendingBytes: STREAM_PENDING_BYTES_MAX,
    clientLimits: NO_LIMITS,
    removals: REMOVAL_LIMITS,
    replaceAfterMs: 1000,
    // More than a story takes.
    reaper: { checkIntervalMs: 3_600_000, perMinuteMax: 10_000, unusedMs: 0 },
    natives: { clients: [], lossRate: 0, streamsMax: 0, grantMs: 0 },
    zookeepers: { clients: [], streamsMax: 0, grantMs: 0 },
  };
}

function always(ms: number): Range {
  return { min: ms, max: ms };
}
