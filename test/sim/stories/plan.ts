/** The plan of a story, and the workload of its clients. */
import type { Workload } from "../client/workload.ts";
import { LARGE_WINDOW_BYTES, sizesOf } from "../directed.ts";
import type { Plan } from "../plan.ts";
import { undisturbedPlan } from "../quiet.ts";

export type StoryOptions = {
  readonly nodes: number;
  /** The size of a log file. Default: 64 KiB. */
  readonly segmentBytes?: number;
  /** How much of the log lies between two snapshots. Default: more than any story writes. */
  readonly snapshotEveryBytes?: number;
  readonly snapshotChunkBytes?: number;
  /** How much of the log a node keeps in memory. Default: more than any story writes. */
  readonly windowBytes?: number;
  /** The story begins with empty folders and without processes. Default: it begins with an ensemble that has a leader. */
  readonly fromNothing?: boolean;
};

export const SESSION_TIMEOUT_MS = 4000;

const NO_MIX: Workload["mix"] = {
  setData: 0,
  create: 0,
  delete: 0,
  sequential: 0,
  ephemeral: 0,
  consume: 0,
  lifetime: 0,
  multiRead: 0,
  multi: 0,
  syncRead: 0,
  read: 0,
  watch: 0,
  close: 0,
};

/** This client asks for nothing by itself. */
export function scriptedWorkload(timeoutMs: number): Workload {
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
    readOnly: false,
  };
}

export function storyPlan(options: StoryOptions): Plan {
  const { nodes, windowBytes = LARGE_WINDOW_BYTES } = options;
  const plan = undisturbedPlan(nodes);
  return {
    ...plan,
    segmentBytes: options.segmentBytes ?? plan.segmentBytes,
    snapshotEveryBytes: options.snapshotEveryBytes ?? plan.snapshotEveryBytes,
    snapshotChunkBytes: options.snapshotChunkBytes ?? plan.snapshotChunkBytes,
    sizes: sizesOf(windowBytes),
    minSessionTimeoutMs: SESSION_TIMEOUT_MS,
  };
}
