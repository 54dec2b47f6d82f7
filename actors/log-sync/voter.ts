/**
 * A voter: it promises each epoch to one candidate at most, durably before it says so, and accepts nothing of an earlier epoch from then
 * on. Raft's vote (Ongaro, sections 5.2 and 5.4.1), with the zxid as term and index in one.
 */
import { assert } from "../../protocol/assert.ts";
import type { Voter } from "../../protocol/configuration.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import type { Epoch } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { log, sendTo } from "./effects.ts";
import { isBound } from "./ensemble/membership.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import { enter } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

export type PromiseRequest = Extract<LogSyncPeerMessage, { kind: "promiseRequest" }>;

/** The epoch below which nothing is accepted: also of a promise that is not durable yet. */
export function promisedEpoch({ promises }: LogSyncState): Epoch {
  return (promises.underWay ?? promises.durable).epoch;
}

/** Starts making a promise durable; nobody is answered before it is. */
export function persistPromise(
  turn: LogSyncTurn,
  promise: EpochPromise,
  asker: Voter | undefined,
): void {
  const { promises } = turn.state;
  assert(promise.epoch > promisedEpoch(turn.state), "a promise never goes back");
  promises.underWay = promise;
  promises.asker = asker;
  turn.effects.push(tell("log", { kind: "promise", promise }));
}

export function receivePromiseRequest(
  turn: LogSyncTurn,
  from: Voter,
  { epoch, candidate }: PromiseRequest,
): void {
  const { state } = turn;
  const { promises, role, space } = state;
  // This node may have lost records that it has acknowledged: its promise could elect a leader that lacks them.
  if (state.repair !== undefined || !isBound(state)) return;
  // It has just given up leading for want of disk space, and its log may be longer than the others', though nothing of the rest is
  // committed: a promise from it would make them give way to it (decision 8).
  if (space.abstaining) return;
  if (epoch > promisedEpoch(state)) {
    if (role.kind === "leading") log(turn, "deposed", { epoch });
    enter(turn, { kind: "awaiting", leader: candidate });
    persistPromise(turn, { epoch, candidate }, from);
    return;
  }
  const isSame = epoch === promises.durable.epoch && candidate === promises.durable.candidate;
  if (promises.underWay === undefined && isSame) {
    grant(turn, from);
    return;
  }
  // The same request again while the promise is on its way to the disk: answered when it is there.
  const { underWay, asker } = promises;
  if (underWay?.epoch === epoch && asker?.identity === from.identity) return;
  sendTo(turn, from.id, {
    kind: "promiseReply",
    folder: from.identity,
    epoch,
    granted: false,
    promise: underWay ?? promises.durable,
    lastZxid: state.log.durable,
  });
}

/** The log actor handles messages in order, so everything it was given before the promise is durable by now. */
function grant(turn: LogSyncTurn, to: Voter): void {
  const { promises, log: view } = turn.state;
  sendTo(turn, to.id, {
    kind: "promiseReply",
    folder: to.identity,
    epoch: promises.durable.epoch,
    granted: true,
    promise: promises.durable,
    lastZxid: view.durable,
  });
}

/** Answers the candidate that asked. False: nobody did, so the promise is one that this node made to go on by itself. */
export function promiseIsDurable(turn: LogSyncTurn, promise: EpochPromise): boolean {
  const { promises } = turn.state;
  assert(promise.epoch > promises.durable.epoch, "I7: a promise never goes back");
  promises.durable = promise;
  // A later promise may be on its way; then this one is not worth an answer.
  if (promises.underWay?.epoch !== promise.epoch) return true;
  const { asker } = promises;
  promises.underWay = undefined;
  promises.asker = undefined;
  if (asker !== undefined) grant(turn, asker);
  return asker !== undefined;
}
