/**
 * Full disks, and full memories. A leader that runs out of room gives up leading if enough others have room to be a quorum without it. Otherwise
 * it goes on, and has clients' writes refused, so that what is left lasts for sessions. A tree that no longer fits one node of
 * those that are heard is not let grow: every node applies what the log holds.
 */
import type { Context } from "../../runtime/actor.ts";
import { recordHeader } from "../../protocol/record.ts";
import { tell } from "../inboxes.ts";
import { cutAfter } from "./membership.ts";
import type { Room } from "./messages.ts";
import { emitDurable, type LogSyncState, lookAgain, ownRoom, type Role } from "./state.ts";

type Leading = Extract<Role, { kind: "leading" }>;

export const ABSTAIN_TIMER = "abstain";
/** A follower that was not heard for so long is not counted upon. */
const NEWS_MS = 2000;
/** Enough for the others to elect one of them; if they do not, this node is better than none. */
const ABSTAIN_MS = 2000;
/** Others that did not elect anybody are given another chance after so long. */
const YIELD_AGAIN_MS = 30_000;

/** What the ensemble can take, as its leader knows it. May end with this node not leading. */
export function judgeRoom(state: LogSyncState, role: Leading, context: Context): void {
  const { nowMs } = context;
  const own = ownRoom(state);
  const heard: (Room | undefined)[] = [];
  for (const { room, roomAtMs } of role.followers.values()) {
    if (nowMs - roomAtMs <= NEWS_MS) heard.push(room);
  }
  const count = (is: (room: Room | undefined) => boolean): number => heard.filter(is).length;
  const isFree = nowMs - state.yieldedAtMs > YIELD_AGAIN_MS;
  if (own !== "enough" && isFree && count((room) => room === "enough") >= state.quorum) {
    giveUpLeading(state, nowMs);
    return;
  }
  const lacking = count((room) => room === "low" || room === "none");
  const isShort = own !== "enough" || lacking > 0;
  // Who has not spoken yet is taken to have room.
  const free =
    (own === "enough" ? 1 : 0) + count((room) => room === "enough" || room === undefined);
  const able = 1 + count((room) => room !== "none");
  if (own === "none" || (isShort && able < state.quorum)) role.room = "none";
  else if (isShort && free < state.quorum) role.room = "low";
  else role.room = isTreeFull(state, role, nowMs) ? "noGrowth" : "enough";
}

function isTreeFull(state: LogSyncState, role: Leading, nowMs: number): boolean {
  if (state.treeFull) return true;
  for (const { treeFull, treeFullAtMs } of role.followers.values()) {
    if (treeFull && nowMs - treeFullAtMs <= NEWS_MS) return true;
  }
  return false;
}

function giveUpLeading(state: LogSyncState, nowMs: number): void {
  state.abstaining = true;
  state.yieldedAtMs = nowMs;
  state.effects.push({ kind: "startTimer", timer: ABSTAIN_TIMER, afterMs: ABSTAIN_MS });
  lookAgain(state, "the disk is full, those of others are not");
}

/** The others had their time. */
export function endAbstaining(state: LogSyncState): void {
  if (!state.abstaining) return;
  state.abstaining = false;
  if (state.role.kind === "looking") lookAgain(state, "this node votes again");
  else emitDurable(state);
}

/** The log dropped what it had no room for; a leader that went on still has it, and peers may hold it. */
export function writeAgain(state: LogSyncState, role: Leading): void {
  const records: Uint8Array[] = [];
  let after = state.durable;
  while (after < role.outboxAfter) {
    const next = state.index.next(after);
    const record = next === undefined ? undefined : state.recent.get(next);
    if (record === undefined) {
      // The log ends where the disk does, and so must the index: nobody could be given what comes after.
      role.outbox = [];
      cutAfter(state, state.durable);
      lookAgain(state, "what the disk had no room for is not in memory any more");
      return;
    }
    records.push(record);
    after = recordHeader(record).lastZxid;
  }
  if (records.length > 0) state.effects.push(tell("log", { kind: "append", records }));
}
