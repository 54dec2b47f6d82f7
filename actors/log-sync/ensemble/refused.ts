/** What this node does when another node refuses its messages, or says that this node's folder has forgotten something. */
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { greetingOf } from "./founding.ts";
import { isBound } from "./membership.ts";
import type { LogSyncPeerMessage, RefusedByPeer } from "../messages.ts";
import { emitDurable, type LogSyncTurn } from "../state.ts";
import { lookAgain } from "../roles.ts";
import { log, sendTo } from "../effects.ts";
import { beginRepair, survey } from "../repair.ts";

/** An incarnation that is further above this one than this cannot be of the same folder, since no folder is started so often. */
const STARTS_MAX = 1_000_000;

export function refusedByPeer(
  turn: LogSyncTurn,
  { from, reason, incarnation }: RefusedByPeer,
): void {
  const { state } = turn;
  // The other node answers with the configuration in force, in which another folder has this node's number.
  if (reason === "outdated" && isBound(state))
    sendTo(turn, from, greetingOf(state, { asks: true, nowMs: turn.nowMs }));
  if (reason === "olderIncarnation") loseMemory(turn, incarnation);
}

/**
 * Another process was started with this folder or a copy of it, at a later start or at the same. So more may have been promised and
 * acknowledged under the folder's identity than this process knows. The node gives up its vote at once, and stops when that is durable.
 * At the next start it is repaired like a node that has lost its promise (decision 7).
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
 * The leader has counted an acknowledgement of an earlier process on this folder, and the folder no longer holds what was acknowledged. As
 * far as is known no other process uses the folder, so this one goes on, without a vote until it is repaired (decision 7).
 */
export function receiveForgotten(
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

/** It is durable that this node has no vote. It goes on to be repaired, or stops. */
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
