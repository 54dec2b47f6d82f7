/** What is measured on the threads of a node: for each measure its unit and its buckets. Durations are in milliseconds here. */

/** The stages of a write in the order in which it goes through them, each with where it begins and ends. */
export const STAGES = {
  gateway:
    "from the turn of the loop that took requests from sockets to their batch, on their lane",
  queue: "at the leader, from the first batch to the publication of the records that were gathered",
  log: "at the leader, from there until its own disk has them",
  quorum: "at the leader, from the publication until a quorum has them",
  apply: "the application of committed records to the tree of a lane",
  reply: "from there until the turn of the loop has sent what it had to send",
  whole:
    "from the batch of a lane to the results of its operations: what a client waits for, mostly",
} as const;

export type Stage = keyof typeof STAGES;

/** How an election goes, at one node. */
export const PHASES = {
  vote: "from when the node looks for a leader until a quorum agrees on who should try",
  promise: "at the candidate, from there to the promises of a quorum",
  establish: "at the candidate, from there until the first record of its epoch is committed",
  follow: "at another node, from the vote until it follows",
} as const;

export type Phase = keyof typeof PHASES;

const MS_BOUNDS: readonly number[] = [
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000],
];
const COUNT_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
const BYTES_BOUNDS: readonly number[] = [
  ...[256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
];

export type Measure =
  | `stage.${Stage}`
  | `phase.${Phase}`
  | "leaderless"
  | "fsync"
  | "eventLoopDelay"
  | "turn"
  | "mailbox"
  | "batchOperations"
  | "publishedOperations"
  | "diskWriteBytes";

export function boundsOf(measure: Measure): readonly number[] {
  if (measure === "diskWriteBytes") return BYTES_BOUNDS;
  const isCount =
    measure === "mailbox" || measure === "batchOperations" || measure === "publishedOperations";
  return isCount ? COUNT_BOUNDS : MS_BOUNDS;
}

/** What is only counted. `slowFsyncs`: of more than a second, which ZooKeeper warns about. */
export type Counted = "proposals" | "commits" | "slowFsyncs" | "elections";
