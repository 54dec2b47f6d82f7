/** What a follower tells its leader of its log, and what it commits by what its leader tells it. */
import { earlierOf, ZXID_NONE, zxidOf, type Zxid } from "../../protocol/zxid.ts";
import { commitThrough } from "./delivery.ts";
import { log, sendTo } from "./effects.ts";
import { isBound } from "./ensemble/membership.ts";
import { regainIfRepaired, voteIfBound } from "./repair.ts";
import { emitLeadership, type Following } from "./roles.ts";
import { dropPassedTransfer } from "./snapshots/drop.ts";
import type { LogSyncTurn } from "./state.ts";

/** A follower says at most this often that it still stands at the same record. */
const BEHIND_INTERVAL_MS = 20;

/**
 * Says what this node holds durably and equal to the leader's log, and what its disk and memory have left. Sent after the fsync, never
 * before.
 */
export function sendAccepted(turn: LogSyncTurn, role: Following): void {
  const { state } = turn;
  const { disk: diskSpace, treeFull } = state.space;
  const isShort = treeFull || diskSpace !== "free";
  if (role.matched === ZXID_NONE && !isShort) return;
  const zxid = earlierOf(state.log.durable, role.matched);
  const votes = state.repair === undefined && isBound(state);
  const { epoch } = role;
  sendTo(turn, role.leader, { kind: "accepted", epoch, zxid, votes, diskSpace, treeFull });
  regainIfRepaired(turn);
}

export function sayBehind(turn: LogSyncTurn, role: Following, holds: Zxid): void {
  const { state, nowMs: atMs } = turn;
  const { behind, epoch } = role;
  if (behind?.holds === holds && atMs - behind.atMs < BEHIND_INTERVAL_MS) return;
  role.behind = { atMs, holds };
  sendTo(turn, role.leader, { kind: "behind", epoch, holds, durable: state.log.durable });
}

export function followCommit(turn: LogSyncTurn, role: Following): void {
  const { log: view, delivery } = turn.state;
  if (view.truncating) return;
  const known = earlierOf(earlierOf(role.leaderCommitted, role.matched), view.durable);
  commitThrough(turn, view.index.floor(known));
  voteIfBound(turn);
  dropPassedTransfer(turn);
  if (role.established || delivery.committed < zxidOf(role.epoch, 0)) return;
  role.established = true;
  turn.effects.push({ kind: "stopTimer", timer: "establish" });
  log(turn, "following", { leader: role.leader, epoch: role.epoch });
  emitLeadership(turn);
}
