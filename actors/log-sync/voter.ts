/**
 * A voter. It promises each epoch to at most one candidate, makes the promise durable before it answers, and accepts nothing of an earlier
 * epoch from then on. Raft's vote (Raft, section 5.2).
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

/** The epoch below which this node accepts nothing. A promise that is not durable yet counts too. */
export function promisedEpoch({ promises }: LogSyncState): Epoch {
  return (promises.underWay ?? promises.durable).epoch;
}

/** Begins to make a promise durable. `asker`, if there is one, is answered when it is, and not before. */
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
  // The candidate repeats its request while the promise is being made durable. It is answered when that is done.
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

/**
 * Answers that the epoch is promised. The log actor handles its messages in order, so `lastZxid` covers every record that it was sent
 * before the promise.
 */
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

/** Answers the candidate that asked for this promise. Returns false if none did: then this node's own role can go on. */
export function promiseIsDurable(turn: LogSyncTurn, promise: EpochPromise): boolean {
  const { promises } = turn.state;
  assert(promise.epoch > promises.durable.epoch, "I7: a promise never goes back");
  promises.durable = promise;
  // If a later promise is under way already, this one is not answered.
  if (promises.underWay?.epoch !== promise.epoch) return true;
  const { asker } = promises;
  promises.underWay = undefined;
  promises.asker = undefined;
  if (asker !== undefined) grant(turn, asker);
  return asker !== undefined;
}
