/**
 * From a hint to a leader: a candidate chooses an epoch above all it knows, makes its own promise durable, and asks the
 * voters for theirs. Raft's vote (Ongaro, section 5.2 and 5.4.1) with the zxid as term and index in one.
 */
import type { PeerSender } from "../../runtime/transport.ts";
import type { Voter } from "../../protocol/configuration.ts";
import { assert } from "../../protocol/assert.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import { type Epoch, epoch, EPOCH_MAX, formatZxid } from "../../protocol/zxid.ts";
import { knownEpoch } from "./epochs/believed.ts";
import { follow } from "./follower.ts";
import { lead } from "./leader.ts";
import { isBound } from "./ensemble/membership.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import { countOf } from "../quorum.ts";
import {
  broadcast,
  emitLeadership,
  log,
  type LogSyncState,
  type LogSyncTurn,
  lookAgain,
  persistPromise,
  promisedEpoch,
  sendTo,
} from "./state.ts";

type PromiseRequest = Extract<LogSyncPeerMessage, { kind: "promiseRequest" }>;
type PromiseReply = Extract<LogSyncPeerMessage, { kind: "promiseReply" }>;

/** How often, and how many times, a candidate asks before it gives up. */
const ASK_INTERVAL_MS = 100;
const ASKS_MAX = 20;

/** The election actor says that this node should try. */
export function stand(turn: LogSyncTurn): void {
  const { state } = turn;
  if (state.role.kind === "leading" || state.role.kind === "candidate") return;
  // Whoever votes for it has heard an older life of this node, or what it said before it gave up leading.
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
  const next: Epoch = epoch(known + 1);
  state.role = { kind: "candidate", epoch: next, promises: new Map(), asked: 0 };
  persistPromise(turn, { epoch: next, candidate: state.options.server }, undefined);
  emitLeadership(turn);
}

/** This node's own promise is durable: the voters may be asked. */
export function ask(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role, options } = state;
  assert(role.kind === "candidate", "only a candidate asks");
  role.promises.set(options.server, state.membership.identity);
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
  turn.effects.push({ kind: "startTimer", timer: "ask", afterMs: ASK_INTERVAL_MS });
}

export function receivePromiseRequest(
  turn: LogSyncTurn,
  from: Voter,
  message: PromiseRequest,
): void {
  const { state } = turn;
  // What it may have acknowledged and forgotten must not be missing from a quorum by its word.
  if (state.repair !== undefined || !isBound(state)) return;
  // What it holds beyond the others is not committed. They are a quorum, and its word would make them give way to it.
  if (state.space.abstaining) return;
  if (message.epoch > promisedEpoch(state)) {
    if (state.role.kind === "leading") log(turn, "deposed", { epoch: message.epoch });
    // Whoever asks may lead soon: this node waits for its barrier.
    follow(turn, message.candidate, undefined);
    persistPromise(turn, { epoch: message.epoch, candidate: message.candidate }, from);
    return;
  }
  const same =
    message.epoch === state.promises.durable.epoch &&
    message.candidate === state.promises.durable.candidate;
  if (state.promises.underWay === undefined && same) {
    grant(turn, from);
    return;
  }
  // The same request again while the promise is on its way to the disk: answered when it is there.
  if (
    state.promises.underWay?.epoch === message.epoch &&
    state.promises.asker?.identity === from.identity
  )
    return;
  sendTo(turn, from.id, {
    kind: "promiseReply",
    folder: from.identity,
    epoch: message.epoch,
    granted: false,
    promise: state.promises.underWay ?? state.promises.durable,
    lastZxid: state.log.durable,
  });
}

/** Of the folders whose word counts by now. */
function isPromised(
  { membership, quorum }: LogSyncState,
  promises: ReadonlyMap<ServerId, Identity>,
): boolean {
  return countOf(membership.counted, promises) >= quorum;
}

/** The log lane handles messages in order, so everything it was given before the promise is durable by now. */
export function grant(turn: LogSyncTurn, to: Voter): void {
  const { state } = turn;
  sendTo(turn, to.id, {
    kind: "promiseReply",
    folder: to.identity,
    epoch: state.promises.durable.epoch,
    granted: true,
    promise: state.promises.durable,
    lastZxid: state.log.durable,
  });
}

export function receivePromiseReply(
  turn: LogSyncTurn,
  from: ServerId,
  { sender, message }: { readonly sender: PeerSender; readonly message: PromiseReply },
): void {
  const { state } = turn;
  const { role, membership } = state;
  if (role.kind !== "candidate" || message.epoch !== role.epoch) return;
  if (message.folder !== membership.identity) return;
  if (!message.granted) {
    lookAgain(turn, `node ${from} has promised epoch ${message.promise.epoch}`);
    return;
  }
  if (message.lastZxid > state.log.durable) {
    lookAgain(turn, `the log of node ${from} is ahead: ${formatZxid(message.lastZxid)}`);
    return;
  }
  role.promises.set(from, sender.identity);
  if (state.promises.durable.epoch === role.epoch && isPromised(state, role.promises)) {
    lead(turn, role.epoch);
  }
}
