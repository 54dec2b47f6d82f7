/** What this node does when another one refuses its messages. */
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { greetingOf } from "./founding.ts";
import { isBound } from "./membership.ts";
import type { LogSyncPeerMessage, RefusedByPeer } from "../messages.ts";
import { emitDurable, type LogSyncTurn } from "../state.ts";
import { lookAgain } from "../roles.ts";
import { log } from "../effects.ts";
import { sendTo } from "../effects.ts";
import { beginRepair, survey } from "../repair.ts";

/** Starts of one folder. A number farther from this life's is no memory of it. */
const STARTS_MAX = 1_000_000;

export function refusedByPeer(
  turn: LogSyncTurn,
  { from, reason, incarnation }: RefusedByPeer,
): void {
  const { state } = turn;
  // Its answer has the configuration in force, in which another folder has this node's number.
  if (reason === "outdated" && isBound(state))
    sendTo(turn, from, greetingOf(state, { asks: true, nowMs: turn.nowMs }));
  if (reason === "olderIncarnation") loseMemory(turn, incarnation);
}

/**
 * Another process has been started with this folder, or a copy of it, after this one or at the same start. So what this process
 * goes by is not all that was promised and acknowledged in the folder's name. It stops having a vote at once, and stops when that
 * is durable; at the next start it is repaired like one that has lost its promise (decision 7).
 */
function loseMemory(turn: LogSyncTurn, incarnation: number): void {
  const { state } = turn;
  const {
    membership,
    options,
    promises: { durable: promise },
  } = state;
  if (membership.losingVote !== undefined || options.voters.length === 1) return;
  if (incarnation < membership.incarnation) return;
  if (incarnation - membership.incarnation > STARTS_MAX) return;
  membership.losingVote = "stops";
  log(turn, "folderOlderThanRemembered", {
    incarnation: membership.incarnation,
    remembered: incarnation,
  });
  beginRepair(turn, { reason: "promise", epoch: promise.epoch });
  lookAgain(turn, "what this folder holds is not all that it has promised");
  turn.effects.push(tell("log", { kind: "loseVote", incarnation }));
}

type Forgotten = Extract<LogSyncPeerMessage, { kind: "forgotten" }>;

/**
 * The leader that this node follows has counted, of an earlier process on this folder, what the folder does not hold any more. No other
 * process has it, as far as anybody knows: this one goes on without a vote until it is repaired (decision 7).
 */
export function toldForgotten(
  turn: LogSyncTurn,
  from: ServerId,
  { folder, incarnation, zxid }: Forgotten,
): void {
  const { state } = turn;
  const { membership, promises } = state;
  if (folder !== membership.identity || incarnation !== membership.incarnation) return;
  if (membership.losingVote !== undefined || state.repair !== undefined) return;
  membership.losingVote = "goesOn";
  log(turn, "folderLostAcknowledged", {
    leader: from,
    acknowledged: formatZxid(zxid),
    durable: formatZxid(state.log.durable),
  });
  beginRepair(turn, { reason: "promise", epoch: promises.durable.epoch });
  emitDurable(turn);
  turn.effects.push(tell("log", { kind: "loseVote", incarnation }));
}

export function voteLost(turn: LogSyncTurn): void {
  const { state } = turn;
  const { options, membership } = state;
  const { losingVote } = membership;
  membership.losingVote = undefined;
  if (losingVote === "goesOn") {
    survey(turn);
    return;
  }
  turn.effects.push({
    kind: "stopNode",
    reason: `the data folder is older than what the others remember of it: it is a copy that was used beside the original, or an old one that was put back. See that no other process is node ${options.server}, then start it again: it has no vote until the others have repaired it.`,
  });
}
