/**
 * When a leader has its followers count for themselves (`counting.ts`), and when its commit mark need not go out alone. While few records
 * wait for a quorum, the leader asks for it. If the followers alone are a quorum for what it commits, all of them know so much by
 * themselves: the mark travels with the next append. If they are not within a few milliseconds, one of them is slow or gone, so the
 * others may wait for the mark: it goes out, and again with each commit until the followers are in time.
 */
import { ASKING_RECORDS_MAX } from "../../protocol/limits.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { committedBy } from "../quorum.ts";
import type { Asks } from "./messages.ts";
import { publishSoon } from "./publish.ts";
import type { Leading } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

/** Milliseconds after a commit within which the followers alone should be a quorum. After that the mark is sent for those that lack it. */
const MARK_AFTER_MS = 5;

export type Asking = {
  /** Whether the last records that were published ask the followers to count. */
  asked: boolean;
  /** Whether the followers alone were a quorum soon enough for the last commit of which that is known. */
  inTime: boolean;
  /** The commit mark that was published last. */
  published: Zxid;
  /** The first commit for which the followers alone are not a quorum yet. */
  uncovered: { readonly zxid: Zxid; readonly sinceMs: number } | undefined;
  /** Whether the timer `mark` runs. */
  timing: boolean;
};

export function newAsking(): Asking {
  return { asked: false, inTime: true, published: ZXID_NONE, uncovered: undefined, timing: false };
}

/** Must be called when records are published: decides whether they ask the followers to count. */
export function decideAsking(state: LogSyncState, role: Leading): void {
  const { active, asking, uncommitted } = role;
  asking.asked =
    active &&
    asking.inTime &&
    uncommitted.length <= ASKING_RECORDS_MAX &&
    countedFollowers(state, role).length >= state.quorum;
}

/** What goes with records up to `through`, the last that were published. Records before those are of no news to whom counts. */
export function asksOf(state: LogSyncState, role: Leading, through: Zxid): Asks | undefined {
  if (!role.asking.asked || through < state.log.index.tail) return undefined;
  const counted = countedFollowers(state, role);
  const { membership, options, log: view } = state;
  const isCounted = membership.counted.get(options.server) === membership.identity;
  return {
    durable: isCounted ? view.durable : ZXID_NONE,
    counted: counted.map(({ nonce }) => nonce),
  };
}

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

/** Up to where the followers that count are a quorum without this node. */
function coveredThrough(state: LogSyncState, role: Leading): Zxid {
  return committedBy(
    countedFollowers(state, role).map(({ accepted }) => accepted),
    state.quorum,
  );
}

/** The processes of followers of which this leader counts what they have accepted. */
function countedFollowers(
  { membership }: LogSyncState,
  { followers }: Leading,
): { readonly nonce: number; readonly accepted: Zxid }[] {
  const found: { readonly nonce: number; readonly accepted: Zxid }[] = [];
  for (const [id, { identity, accepted, incarnation }] of followers) {
    const { nonce, hasForgotten } = incarnation;
    const isCounted = identity !== undefined && membership.counted.get(id) === identity;
    if (!isCounted || hasForgotten || accepted === ZXID_NONE || nonce === undefined) continue;
    found.push({ nonce, accepted });
  }
  return found;
}
