/**
 * Full disks, and full memories. A leader that runs out of room gives up leading if enough others have room to be a quorum without it. Otherwise
 * it goes on, and has clients' writes refused, so that what is left lasts for sessions. A tree that no longer fits one node of
 * those that are heard is not let grow: every node applies what the log holds.
 */
import { recordHeader } from "../../protocol/record.ts";
import { tell } from "../inboxes.ts";
import { cutAfter } from "./ensemble/membership.ts";
import type { DiskSpace, WriteAdmission } from "../../protocol/replication.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import { emitLeadership, lookAgain, type Leading } from "./roles.ts";
import { publishSoon } from "./publish.ts";
import { earlierOf } from "../../protocol/zxid.ts";

/** A follower that was not heard for so long is not counted upon. */
const NEWS_MS = 2000;
/** Enough for the others to elect one of them; if they do not, this node is better than none. */
const ABSTAIN_MS = 2000;
/** Others that did not elect anybody are given another chance after so long. */
const YIELD_AGAIN_MS = 30_000;

/** Something is known of a disk or a memory. May end with this node not leading. */
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

/** Its own disk runs out of space, and enough others have some to be a quorum without it. */
function shouldYield({ space, quorum }: LogSyncState, role: Leading, nowMs: number): boolean {
  if (space.disk === "free" || nowMs - space.yieldedAtMs <= YIELD_AGAIN_MS) return false;
  return countSpaces(role, nowMs, "free") >= quorum;
}

/** Which writes the ensemble can take, as its leader knows it. */
export function admissionOf(state: LogSyncState, role: Leading, nowMs: number): WriteAdmission {
  const { space, quorum } = state;
  const isShort = space.disk !== "free" || countSpaces(role, nowMs, "low", "full") > 0;
  // A follower that has not reported yet is taken to have space.
  const free = (space.disk === "free" ? 1 : 0) + countSpaces(role, nowMs, "free", undefined);
  const able = 1 + countSpaces(role, nowMs, "free", "low", undefined);
  if (space.disk === "full" || (isShort && able < quorum)) return "none";
  if (isShort && free < quorum) return "sessionsOnly";
  return isTreeFull(state, role, nowMs) ? "noGrowth" : "all";
}

/** Followers whose disks are one of these, of those that were heard lately. */
function countSpaces(
  { followers }: Leading,
  nowMs: number,
  ...wanted: readonly (DiskSpace | undefined)[]
): number {
  let count = 0;
  for (const { diskSpace, diskSpaceAtMs } of followers.values()) {
    if (nowMs - diskSpaceAtMs <= NEWS_MS && wanted.includes(diskSpace)) count += 1;
  }
  return count;
}

function isTreeFull(state: LogSyncState, role: Leading, nowMs: number): boolean {
  if (state.space.treeFull) return true;
  for (const { treeFull, treeFullAtMs } of role.followers.values()) {
    if (treeFull && nowMs - treeFullAtMs <= NEWS_MS) return true;
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

/** The others had their time. */
export function endAbstaining(turn: LogSyncTurn): void {
  const { state } = turn;
  if (!state.space.abstaining) return;
  state.space.abstaining = false;
  if (state.role.kind === "looking") lookAgain(turn, "this node votes again");
  else emitDurable(turn);
}

/** The log dropped what it had no room for; a leader that went on still has it, and peers may hold it. */
export function writeAgain(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  const records: Uint8Array[] = [];
  let after = state.log.durable;
  while (after < role.outboxAfter) {
    const next = state.log.index.next(after);
    const record = next === undefined ? undefined : state.log.recent.get(next);
    if (record === undefined) {
      // The log ends where the disk does, and so must the index: nobody could be given what comes after.
      role.outbox = [];
      cutAfter(turn, state.log.durable);
      lookAgain(turn, "what the disk had no room for is not in memory any more");
      return;
    }
    records.push(record);
    after = recordHeader(record).lastZxid;
  }
  if (records.length > 0) turn.effects.push(tell("log", { kind: "append", records }));
}

/**
 * What was not durable when the disk became full is gone from the log. A truncation that the log has yet to do has already cut the
 * index, perhaps further.
 */
export function cutToDurable(turn: LogSyncTurn): void {
  const { log: view } = turn.state;
  cutAfter(turn, earlierOf(view.durable, view.index.tail));
  emitDurable(turn);
  emitLeadership(turn);
}
