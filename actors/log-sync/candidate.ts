/**
 * A candidate. The election actor has named this node, so it chooses an epoch above all that it knows, makes its own promise durable, and
 * asks the voters for theirs. It leads when a quorum has promised and none of their logs is ahead of its own (Raft, section 5.2; the
 * check of the logs, section 5.4.1, is made by the candidate here, and not by the voter).
 */
import type { PeerSender } from "../../runtime/transport.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import { epoch, EPOCH_MAX, formatZxid } from "../../protocol/zxid.ts";
import { countOf } from "../quorum.ts";
import { cutToDurable } from "./disk-space.ts";
import { broadcast, log, sendTo } from "./effects.ts";
import { greetingOf } from "./ensemble/founding.ts";
import { isBound } from "./ensemble/membership.ts";
import { knownEpoch } from "./epochs/believed.ts";
import { lead } from "./leader.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import type { Peer, RoleMessage, RolePeerMessage } from "./role-messages.ts";
import { type Candidate, enter, lookAgain } from "./roles.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import { persistPromise } from "./voter.ts";

type PromiseReply = Extract<LogSyncPeerMessage, { kind: "promiseReply" }>;

/** A candidate asks at this interval, and gives up after it has asked `ASKS_MAX` times. */
const ASK_INTERVAL_MS = 100;
const ASKS_MAX = 20;

/** The election actor has named this node: it becomes a candidate, if it may. */
export function stand(turn: LogSyncTurn): void {
  const { state } = turn;
  // Votes for this node may date from before it restarted or stepped down, so it must not act on them.
  if (state.repair !== undefined || state.space.abstaining || !isBound(state)) return;
  if (state.space.disk === "full") {
    lookAgain(turn, "a node with a full disk cannot lead");
    return;
  }
  const known = knownEpoch(state);
  if (known >= EPOCH_MAX) {
    log(turn, "noEpochLeft", { epoch: known });
    lookAgain(turn, "no epoch is left");
    return;
  }
  const chosen = epoch(known + 1);
  enter(turn, { kind: "candidate", epoch: chosen, promises: new Map(), asked: 0 });
  persistPromise(turn, { epoch: chosen, candidate: state.options.server }, undefined);
}

export function candidateReceives(turn: LogSyncTurn, role: Candidate, message: RoleMessage): void {
  switch (message.kind) {
    case "promiseDurable":
      if (role.epoch === turn.state.promises.durable.epoch) ask(turn, role);
      return;
    case "timer":
      if (message.timer === "ask") ask(turn, role);
      return;
    case "moreDurable":
      emitDurable(turn);
      return;
    case "diskFull":
      cutToDurable(turn);
      return;
    case "diskFreed":
      emitDurable(turn);
      return;
    case "elected":
    case "leaderLost":
    case "submit":
    case "propose":
    case "endOfTurn":
    case "truncated":
    case "moreDelivered":
    case "recordsRead":
    case "snapshotChunk":
    case "diskLow":
    case "memoryChanged":
    case "voteRegained":
      return;
    default:
      unreachable(message);
  }
}

export function candidateReceivesFromPeer(
  turn: LogSyncTurn,
  role: Candidate,
  { id, sender }: Peer,
  message: RolePeerMessage,
): void {
  switch (message.kind) {
    case "promiseReply":
      receivePromiseReply(turn, role, { id, sender }, message);
      return;
    case "deposed":
      if (message.promise.epoch <= role.epoch) return;
      lookAgain(turn, `epoch ${message.promise.epoch} is promised elsewhere`);
      return;
    case "accepted":
    case "behind":
    case "submit":
    case "askChunk":
    case "snapshotOffer":
    case "snapshotChunk":
    case "forgotten":
    case "submitRefused":
    case "takeOver":
    case "takeOverDeclined":
      return;
    default:
      unreachable(message);
  }
}

/** Asks the voters for their promises, now that this node's own is durable, and again at each interval. */
function ask(turn: LogSyncTurn, role: Candidate): void {
  const { state, effects } = turn;
  const { options, membership } = state;
  role.promises.set(options.server, membership.identity);
  if (isPromised(state, role.promises)) {
    lead(turn, role.epoch);
    return;
  }
  role.asked += 1;
  if (role.asked > ASKS_MAX) {
    lookAgain(turn, "no quorum promised this node its epoch");
    return;
  }
  broadcast(turn, { kind: "promiseRequest", epoch: role.epoch, candidate: options.server });
  effects.push({ kind: "startTimer", timer: "ask", afterMs: ASK_INTERVAL_MS });
}

function receivePromiseReply(
  turn: LogSyncTurn,
  role: Candidate,
  { id, sender }: { readonly id: ServerId; readonly sender: PeerSender },
  message: PromiseReply,
): void {
  const { state } = turn;
  const { membership, promises, log: view } = state;
  if (message.epoch !== role.epoch || message.folder !== membership.identity) return;
  if (!message.granted) {
    lookAgain(turn, `node ${id} has promised epoch ${message.promise.epoch}`);
    return;
  }
  if (message.lastZxid > view.durable) {
    lookAgain(turn, `the log of node ${id} is ahead: ${formatZxid(message.lastZxid)}`);
    return;
  }
  role.promises.set(id, sender.identity);
  // Its number may be bound to its folder by a record of this node's log. Whether that is committed, it knows if it votes.
  if (!sender.isVoter) sendTo(turn, id, greetingOf(state, { asks: true, nowMs: turn.nowMs }));
  if (promises.durable.epoch === role.epoch && isPromised(state, role.promises)) {
    lead(turn, role.epoch);
  }
}

/** Whether a quorum of those folders has promised that count now. */
function isPromised(
  { membership, quorum }: LogSyncState,
  promises: ReadonlyMap<ServerId, Identity>,
): boolean {
  return countOf(membership.counted, promises) >= quorum;
}
