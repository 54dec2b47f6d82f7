/**
 * Full disks, and full memories. A leader that runs out of room gives up leading if enough others have room to be a quorum without it. Otherwise
 * it goes on, and has clients' writes refused, so that what is left lasts for sessions. A tree that no longer fits one node of
 * those that are heard is not let grow: every node applies what the log holds.
 */
import { recordHeader } from "../../protocol/record.ts";
import { tell } from "../inboxes.ts";
import { cutAfter } from "./ensemble/membership.ts";
import type { DiskSpace } from "../../protocol/replication.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn, lookAgain, type Role } from "./state.ts";

type Leading = Extract<Role, { kind: "leading" }>;

/** A follower that was not heard for so long is not counted upon. */
const NEWS_MS = 2000;
/** Enough for the others to elect one of them; if they do not, this node is better than none. */
const ABSTAIN_MS = 2000;
/** Others that did not elect anybody are given another chance after so long. */
const YIELD_AGAIN_MS = 30_000;

/** What the ensemble can take, as its leader knows it. May end with this node not leading. */
export function judgeAdmission(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  const { nowMs } = turn;
  const own = state.space.disk;
  const followers: (DiskSpace | undefined)[] = [];
  for (const { diskSpace, diskSpaceAtMs } of role.followers.values()) {
    if (nowMs - diskSpaceAtMs <= NEWS_MS) followers.push(diskSpace);
  }
  const count = (...wanted: readonly (DiskSpace | undefined)[]): number =>
    followers.filter((space) => wanted.includes(space)).length;
  const mayYield = nowMs - state.space.yieldedAtMs > YIELD_AGAIN_MS;
  if (own !== "free" && mayYield && count("free") >= state.quorum) {
    giveUpLeading(turn, nowMs);
    return;
  }
  const isShort = own !== "free" || count("low", "full") > 0;
  // A follower that has not reported yet is taken to have space.
  const free = (own === "free" ? 1 : 0) + count("free", undefined);
  const able = 1 + count("free", "low", undefined);
  if (own === "full" || (isShort && able < state.quorum)) role.admission = "none";
  else if (isShort && free < state.quorum) role.admission = "sessionsOnly";
  else role.admission = isTreeFull(state, role, nowMs) ? "noGrowth" : "all";
}

function isTreeFull(state: LogSyncState, role: Leading, nowMs: number): boolean {
  if (state.space.treeFull) return true;
  for (const { treeFull, treeFullAtMs } of role.followers.values()) {
    if (treeFull && nowMs - treeFullAtMs <= NEWS_MS) return true;
  }
  return false;
}

function giveUpLeading(turn: LogSyncTurn, nowMs: number): void {
  const { state } = turn;
  state.space.abstaining = true;
  state.space.yieldedAtMs = nowMs;
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
