/** What a follower reports of its log, and what it commits: by the leader's commit mark, or by its own count. */
import { earlierOf, laterOf, ZXID_NONE, zxidOf, type Zxid } from "../../protocol/zxid.ts";
import { countedThrough, sayAccepted } from "./counting.ts";
import { commitThrough } from "./delivery.ts";
import { log, sendTo } from "./effects.ts";
import { isBound } from "./ensemble/membership.ts";
import { regainIfRepaired, voteIfBound } from "./repair.ts";
import { emitLeadership, type Following } from "./roles.ts";
import { dropPassedTransfer } from "./snapshots/drop.ts";
import type { LogSyncTurn } from "./state.ts";

/** Milliseconds for which a follower does not repeat that its log ends at the same record. */
const BEHIND_INTERVAL_MS = 20;

/**
 * Acknowledges what this node has durably and equal to the leader's log, and reports what its disk and memory have left. It is sent after
 * the fsync, never before.
 */
export function sendAccepted(turn: LogSyncTurn, role: Following): void {
  const { state } = turn;
  const { disk: diskSpace, treeFull } = state.space;
  const isShort = treeFull || diskSpace !== "free";
  if (role.matched === ZXID_NONE && !isShort) return;
  const zxid = earlierOf(state.log.durable, role.matched);
  const votes = state.repair === undefined && isBound(state);
  const { epoch } = role;
  sayAccepted(turn, role, { kind: "accepted", epoch, zxid, votes, diskSpace, treeFull });
  regainIfRepaired(turn);
}

/** Reports to the leader that an append did not follow this node's log, whose last record before the append's place ends at `holds`. */
export function sendBehind(turn: LogSyncTurn, role: Following, holds: Zxid): void {
  const { state, nowMs: atMs } = turn;
  const { behind, epoch } = role;
  if (behind?.holds === holds && atMs - behind.atMs < BEHIND_INTERVAL_MS) return;
  role.behind = { atMs, holds };
  sendTo(turn, role.leader, { kind: "behind", epoch, holds, durable: state.log.durable });
}

/**
 * Commits as far as the leader's commit mark or this node's own count, its durable log, and what is known to equal the leader's log
 * allow.
 */
export function followCommit(turn: LogSyncTurn, role: Following): void {
  const { log: view, delivery } = turn.state;
  if (view.truncating) return;
  const committed = laterOf(role.leaderCommitted, countedThrough(turn.state, role));
  const known = earlierOf(earlierOf(committed, role.matched), view.durable);
  commitThrough(turn, view.index.floor(known));
  voteIfBound(turn);
  dropPassedTransfer(turn);
  if (role.established || delivery.committed < zxidOf(role.epoch, 0)) return;
  role.established = true;
  turn.effects.push({ kind: "stopTimer", timer: "establish" });
  log(turn, "following", { leader: role.leader, epoch: role.epoch });
  emitLeadership(turn);
}
