/**
 * When a leader's commit mark need not go out alone. If the followers that were asked to count are a quorum by themselves for what the
 * leader commits, all of them know so much: the mark travels with the next append. If they are not within a few milliseconds, one of
 * them is slow or gone, so the others may wait for the mark: it goes out, and again with each commit until the followers are in time.
 */
import { type Asking, coveredThrough } from "./asking.ts";
import { publishSoon } from "./publish.ts";
import type { Leading } from "./roles.ts";
import type { LogSyncTurn } from "./state.ts";

/** Milliseconds after a commit within which the followers alone should be a quorum. */
const MARK_AFTER_MS = 5;

/** More is committed: the mark goes out at the end of the turn of the loop, unless the followers find out by themselves. */
export function markMoved(turn: LogSyncTurn, role: Leading): void {
  const { asking } = role;
  const { committed } = turn.state.delivery;
  if (coveredThrough(turn.state, role) >= committed) {
    asking.inTime = true;
    asking.uncovered = undefined;
  } else {
    asking.uncovered ??= { zxid: committed, sinceMs: turn.nowMs };
  }
  if (!asking.asked || !asking.inTime) publishSoon(turn, role);
  else if (asking.uncovered !== undefined) startTiming(turn, asking, MARK_AFTER_MS);
}

/** Must be called when a follower has accepted more. */
export function noteCovered(turn: LogSyncTurn, role: Leading): void {
  const { asking } = role;
  const { uncovered } = asking;
  if (uncovered === undefined) return;
  const through = coveredThrough(turn.state, role);
  if (through < uncovered.zxid) return;
  asking.inTime = turn.nowMs - uncovered.sinceMs <= MARK_AFTER_MS;
  const { committed } = turn.state.delivery;
  asking.uncovered = through >= committed ? undefined : { zxid: committed, sinceMs: turn.nowMs };
}

/** The timer `mark` has come to its end: some follower may wait for the mark. */
export function markIsDue(turn: LogSyncTurn, role: Leading): void {
  const { asking } = role;
  asking.timing = false;
  if (asking.uncovered === undefined) return;
  // Whole milliseconds: a remainder below one would be a timer that ends at once.
  const leftMs = Math.ceil(MARK_AFTER_MS - (turn.nowMs - asking.uncovered.sinceMs));
  if (leftMs > 0) {
    startTiming(turn, asking, leftMs);
    return;
  }
  asking.inTime = false;
  if (asking.published < turn.state.delivery.committed) publishSoon(turn, role);
}

function startTiming({ effects }: LogSyncTurn, asking: Asking, afterMs: number): void {
  if (asking.timing) return;
  asking.timing = true;
  effects.push({ kind: "startTimer", timer: "mark", afterMs });
}
