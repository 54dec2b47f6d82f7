/**
 * When a leader holds records back. What records cost every node where few are under way is messages, wake-ups and an fsync for each set of
 * them, and hardly more for a large set than for a small one. So while records are in flight, published and not yet committed, further
 * ones are gathered, and leave with the commit mark of those (Nagle's algorithm, RFC 896, section "The small-packet problem"; group
 * commit). After a short while they leave all the same: where a round trip takes longer, appends follow each other closer than that.
 * What it brings: docs/decisions/0027-gathering.md.
 */
import type { Zxid } from "../../protocol/zxid.ts";
import type { Leading } from "./roles.ts";
import type { LogSyncTurn } from "./state.ts";

/** Milliseconds for which records in flight hold further ones back. */
const HOLD_MS = 2;

/** The records that were published last. */
export type InFlight = {
  readonly through: Zxid;
  readonly sinceMs: number;
  /** Whether the timer `hold` runs for them. */
  timing: boolean;
};

/** Must be called when records are published. */
export function noteInFlight({ state, nowMs }: LogSyncTurn, role: Leading): void {
  role.inFlight = { through: state.log.index.tail, sinceMs: nowMs, timing: false };
}

/** Whether the records of the outbox wait for those in flight. The timer `hold` then ends the wait, if their commit does not. */
export function holdsBack({ state, effects, nowMs }: LogSyncTurn, role: Leading): boolean {
  const { inFlight, outbox } = role;
  if (outbox.length === 0 || inFlight === undefined) return false;
  if (state.delivery.committed >= inFlight.through) return false;
  // Whole milliseconds: a remainder below one would be a timer that ends at once.
  const leftMs = Math.ceil(HOLD_MS - (nowMs - inFlight.sinceMs));
  if (leftMs <= 0) return false;
  if (!inFlight.timing) effects.push({ kind: "startTimer", timer: "hold", afterMs: leftMs });
  inFlight.timing = true;
  return true;
}
