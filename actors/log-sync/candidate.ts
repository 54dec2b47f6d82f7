/**
 * A candidate. The election actor has named this node, so it chooses an epoch above all that it knows, and asks the voters for their
 * promises while its own is being made durable. It leads when a quorum has promised, its own promise is durable, and none of the logs
 * is ahead of its own (Raft, section 5.2; the check of the logs, section 5.4.1, is made by the candidate here, and not by the voter).
 */
import { unreachable } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import { epoch, EPOCH_MAX, formatZxid } from "../../protocol/zxid.ts";
import { countOf } from "../quorum.ts";
import { cutToDurable } from "./disk-space.ts";
import { broadcast, log } from "./effects.ts";
import { isBound } from "./ensemble/membership.ts";
import { knownEpoch } from "./epochs/believed.ts";
import { lead } from "./leader.ts";
import type { Peer, RoleMessage, RolePeerMessage } from "./role-messages.ts";
import { type Candidate, enter, lookAgain, type PromiseReply } from "./roles.ts";
import { emitDurable, type LogSyncState, type LogSyncTurn } from "./state.ts";
import { persistPromise } from "./voter.ts";

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
  const role: Candidate = {
    kind: "candidate",
    epoch: chosen,
    promises: new Map(),
    early: new Map(),
    asked: 0,
  };
  enter(turn, role);
  persistPromise(turn, { epoch: chosen, candidate: state.options.server }, undefined);
  // The voters write their promises at the same time. If this node dies before its own is durable it has not led, and as a candidate
  // of the same epoch again it may count what the same folder was promised.
  if (state.options.voters.length > 1) ask(turn, role);
}

export function candidateReceives(turn: LogSyncTurn, role: Candidate, message: RoleMessage): void {
  switch (message.kind) {
    case "promiseDurable":
      ownPromiseIsDurable(turn, role);
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
      return;
    default:
      unreachable(message);
  }
}

function ownPromiseIsDurable(turn: LogSyncTurn, role: Candidate): void {
  const { state } = turn;
  const { options, membership, promises } = state;
  if (role.epoch !== promises.durable.epoch) return;
  role.promises.set(options.server, membership.identity);
  const early = [...role.early.values()];
  role.early.clear();
  for (const { peer, reply } of early) {
    if (state.role === role) receivePromiseReply(turn, role, peer, reply);
  }
  if (state.role === role && isPromised(state, role.promises)) lead(turn, role.epoch);
}

/** Asks the voters for their promises, and again at each interval. */
function ask(turn: LogSyncTurn, role: Candidate): void {
  const { options } = turn.state;
  role.asked += 1;
  if (role.asked > ASKS_MAX) {
    lookAgain(turn, "no quorum promised this node its epoch");
    return;
  }
  broadcast(turn, { kind: "promiseRequest", epoch: role.epoch, candidate: options.server });
  turn.effects.push({ kind: "startTimer", timer: "ask", afterMs: ASK_INTERVAL_MS });
}

function receivePromiseReply(
  turn: LogSyncTurn,
  role: Candidate,
  peer: Peer,
  message: PromiseReply,
): void {
  const { id, sender } = peer;
  const { state } = turn;
  const { membership, promises, log: view } = state;
  if (message.epoch !== role.epoch || message.folder !== membership.identity) return;
  if (!message.granted) {
    lookAgain(turn, `node ${id} has promised epoch ${message.promise.epoch}`);
    return;
  }
  if (promises.durable.epoch !== role.epoch) {
    // The log writes in order: with this node's own promise all that it was sent before is durable, and only then can logs be compared.
    role.early.set(id, { peer, reply: message });
    return;
  }
  if (message.lastZxid > view.durable) {
    lookAgain(turn, `the log of node ${id} is ahead: ${formatZxid(message.lastZxid)}`);
    return;
  }
  role.promises.set(id, sender.identity);
  if (isPromised(state, role.promises)) lead(turn, role.epoch);
}

/** Whether a quorum of those folders has promised that count now. */
function isPromised(
  { membership, quorum }: LogSyncState,
  promises: ReadonlyMap<ServerId, Identity>,
): boolean {
  return countOf(membership.counted, promises) >= quorum;
}
