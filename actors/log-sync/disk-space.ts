/**
 * What log-sync does about full disks and memories (docs/decisions/0008-full-disks.md). A leader whose disk runs out of space gives up
 * leading if enough others have space to be a quorum without it. Otherwise it goes on, and clients' writes are refused, so that the space
 * that is left lasts for sessions. If the tree no longer fits into the memory of any one node, writes that grow it are refused, since
 * every node has to apply what the log holds.
 */
import { recordHeader } from "../../protocol/record.ts";
import { tell } from "../inboxes.ts";
import { cutAfter } from "./ensemble/membership.ts";
import type { DiskSpace, WriteAdmission } from "../../protocol/replication.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import { emitLeadership, lookAgain, type Leading } from "./roles.ts";
import { publishSoon } from "./publish.ts";
import { earlierOf } from "../../protocol/zxid.ts";

/** Milliseconds for which a follower's report of its disk or memory is counted. */
const REPORT_VALID_MS = 2000;
/** Milliseconds for the others to elect one of them. If they have not, this node leads again rather than none. */
const ABSTAIN_MS = 2000;
/** If the others elected nobody, a leader with little space gives up leading again only after this many milliseconds. */
const YIELD_AGAIN_MS = 30_000;

/** Must be called when a report of a disk or a memory has changed. Afterwards this node may no longer lead. */
export function reviewAdmission(turn: LogSyncTurn, role: Leading): void {
  const { state, nowMs } = turn;
  if (shouldYield(state, role, nowMs)) {
    giveUpLeading(turn);
    return;
  }
  const admission = admissionOf(state, role, nowMs);
  if (admission === role.admission) return;
  role.admission = admission;
  emitLeadership(turn);
  if (role.followers.size > 0) publishSoon(turn, role);
}

/** Whether the leader's own disk runs out of space while enough others have space to be a quorum without it. */
function shouldYield({ space, quorum }: LogSyncState, role: Leading, nowMs: number): boolean {
  if (space.disk === "free" || nowMs - space.yieldedAtMs <= YIELD_AGAIN_MS) return false;
  return countSpaces(role, nowMs, "free") >= quorum;
}

/** Which writes the ensemble can take, as far as its leader knows. */
export function admissionOf(state: LogSyncState, role: Leading, nowMs: number): WriteAdmission {
  const { space, quorum } = state;
  const isShort = space.disk !== "free" || countSpaces(role, nowMs, "low", "full") > 0;
  // A follower that has not reported yet is assumed to have space.
  const free = (space.disk === "free" ? 1 : 0) + countSpaces(role, nowMs, "free", undefined);
  const able = 1 + countSpaces(role, nowMs, "free", "low", undefined);
  if (space.disk === "full" || (isShort && able < quorum)) return "none";
  if (isShort && free < quorum) return "sessionsOnly";
  return isTreeFull(state, role, nowMs) ? "noGrowth" : "all";
}

/** The number of followers whose last report is valid and has one of these values. */
function countSpaces(
  { followers }: Leading,
  nowMs: number,
  ...wanted: readonly (DiskSpace | undefined)[]
): number {
  let count = 0;
  for (const { diskSpace, diskSpaceAtMs } of followers.values()) {
    if (nowMs - diskSpaceAtMs <= REPORT_VALID_MS && wanted.includes(diskSpace)) count += 1;
  }
  return count;
}

function isTreeFull(state: LogSyncState, role: Leading, nowMs: number): boolean {
  if (state.space.treeFull) return true;
  for (const { treeFull, treeFullAtMs } of role.followers.values()) {
    if (treeFull && nowMs - treeFullAtMs <= REPORT_VALID_MS) return true;
  }
  return false;
}

function giveUpLeading(turn: LogSyncTurn): void {
  const { space } = turn.state;
  space.abstaining = true;
  space.yieldedAtMs = turn.nowMs;
  turn.effects.push({ kind: "startTimer", timer: "abstain", afterMs: ABSTAIN_MS });
  lookAgain(turn, "the disk is full, those of others are not");
}

/** The time is over in which the others could elect one of them. This node takes part in elections again. */
export function endAbstaining(turn: LogSyncTurn): void {
  const { state } = turn;
  if (!state.space.abstaining) return;
  state.space.abstaining = false;
  if (state.role.kind === "looking") lookAgain(turn, "this node votes again");
  else emitDurable(turn);
}

/**
 * Writes the records again that the log has dropped because its disk was full. The leader has gone on meanwhile and has them in memory,
 * and followers may hold them.
 */
export function writeAgain(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  const records: Uint8Array[] = [];
  let after = state.log.durable;
  while (after < role.outboxAfter) {
    const next = state.log.index.next(after);
    const record = next === undefined ? undefined : state.log.recent.get(next);
    if (record === undefined) {
      // A record is no longer in memory, so what comes after it cannot be written. The index must end where the log on disk ends.
      role.outbox = [];
      cutAfter(turn, state.log.durable);
      lookAgain(turn, "records that did not fit on the disk are no longer in memory");
      return;
    }
    records.push(record);
    after = recordHeader(record).lastZxid;
  }
  if (records.length > 0) turn.effects.push(tell("log", { kind: "append", records }));
}

/**
 * Removes from the index what was not durable when the disk became full, since the log has dropped it. A truncation that the log has not
 * done yet may have cut the index further already.
 */
export function cutToDurable(turn: LogSyncTurn): void {
  const { log: view } = turn.state;
  cutAfter(turn, earlierOf(view.durable, view.index.tail));
  emitDurable(turn);
  emitLeadership(turn);
}
