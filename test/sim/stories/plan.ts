/** The plan of a story: everything takes the same time whenever it happens, and nothing goes wrong that the story does not ask for. */
import {
  CHANGE_RING_BYTES_MAX,
  GATEWAY_HELD_BYTES_MAX,
  STREAM_PENDING_BYTES_MAX,
} from "../../../protocol/limits.ts";
import type { Workload } from "../client/workload.ts";
import { LARGE_WINDOW_BYTES, sizesOf } from "../directed.ts";
import type { Plan } from "../plan.ts";
import type { Range } from "../random.ts";

export type StoryOptions = {
  readonly nodes: number;
  /** Of a log file. Default: 64 KiB. */
  readonly segmentBytes?: number;
  /** Of log between two snapshots. Default: more than any story writes. */
  readonly snapshotEveryBytes?: number;
  readonly snapshotChunkBytes?: number;
  /** Of records that a node keeps in memory. Default: more than any story writes. */
  readonly windowBytes?: number;
  /** The story begins with empty folders and no process; by default with an ensemble that has a leader. */
  readonly fromNothing?: boolean;
};

/** What no client of a story waits for: sessions of 4 to 8 s. */
export const SESSION_TIMEOUT_MS = 4000;

const NO_MIX: Workload["mix"] = {
  setData: 0,
  create: 0,
  delete: 0,
  sequential: 0,
  ephemeral: 0,
  consume: 0,
  multi: 0,
  syncRead: 0,
  read: 0,
  watch: 0,
  close: 0,
};

/** Of a client that asks for what it is told to. */
export function toldWorkload(timeoutMs: number): Workload {
  return {
    mix: NO_MIX,
    thinkMs: 1000,
    outstandingMax: 0,
    timeoutMs,
    renewals: [],
    patient: false,
    keys: 1,
    queues: 0,
    dataBytes: 0,
    flood: false,
    slowReader: false,
    hog: false,
  };
}

export function storyPlan(options: StoryOptions): Plan {
  const { nodes, windowBytes = LARGE_WINDOW_BYTES } = options;
  return {
    seed: 1,
    directed: undefined,
    nodes,
    lanes: 1,
    threads: undefined,
    segmentBytes: options.segmentBytes ?? 64 * 1024,
    snapshotEveryBytes: options.snapshotEveryBytes ?? 1024 * 1024,
    heartbeatIntervalMs: 100,
    peerTimeoutMs: 1000,
    failoverGraceMs: 2000,
    minSessionTimeoutMs: SESSION_TIMEOUT_MS,
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
    copies: false,
    sizes: sizesOf(windowBytes),
    snapshotChunkBytes: options.snapshotChunkBytes ?? 64 * 1024,
    memory: { treeHeapBytes: Number.POSITIVE_INFINITY, heldBytes: GATEWAY_HELD_BYTES_MAX },
    ringBytes: CHANGE_RING_BYTES_MAX,
    streamPendingBytes: STREAM_PENDING_BYTES_MAX,
    replaceAfterMs: 1000,
    natives: { clients: [], lossRate: 0, streamsMax: 0, grantMs: 0 },
  };
}

function always(ms: number): Range {
  return { min: ms, max: ms };
}
