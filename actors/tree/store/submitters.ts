/**
 * The last applied batch of every submitter. A batch that is in the log twice is applied the first time and ignored the second, on every
 * node alike; so each write happens exactly once.
 */
import type { Submitter } from "../../../protocol/ids.ts";

export type SubmitterEntry = {
  readonly server: number;
  readonly lane: number;
  incarnation: number;
  seq: number;
};

/** The key is made of server and lane, so a newer incarnation replaces the one before. */
export type Submitters = Map<number, SubmitterEntry>;

const LANES_MAX = 0x1_0000;

export function createSubmitters(): Submitters {
  return new Map();
}

export function submitterEntry(
  submitters: Submitters,
  server: number,
  lane: number,
): SubmitterEntry | undefined {
  return submitters.get(server * LANES_MAX + lane);
}

export function putSubmitter(submitters: Submitters, entry: SubmitterEntry): void {
  submitters.set(entry.server * LANES_MAX + entry.lane, entry);
}

/** Notes that the batch is applied. Returns false if it, or a later batch of that submitter, was applied before. */
export function takeBatch(submitters: Submitters, submitter: Submitter, seq: number): boolean {
  const { server, lane, incarnation } = submitter;
  const entry = submitterEntry(submitters, server, lane);
  if (entry === undefined) {
    putSubmitter(submitters, { server, lane, incarnation, seq });
    return true;
  }
  if (incarnation < entry.incarnation) return false;
  if (incarnation === entry.incarnation && seq <= entry.seq) return false;
  entry.incarnation = incarnation;
  entry.seq = seq;
  return true;
}
