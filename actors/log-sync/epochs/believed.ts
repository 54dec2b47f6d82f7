/**
 * How fast messages of peers may raise the epoch. There are 2^21 epochs, and a promise cannot be taken back, so one message that names a
 * high epoch must not use them up. An epoch is believed if it is no further above the known one than an allowance. The allowance refills
 * with time, and an epoch beyond it raises the known one by what there is. So a node that has missed any number of elections gets
 * there, and somebody who forges epochs needs hours. Why this way: docs/decisions/0014-epochs.md.
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { type Epoch, epoch, EPOCH_NONE, epochOf } from "../../../protocol/zxid.ts";
import { takeAllowance } from "./allowance.ts";
import type { LogSyncPeerMessage } from "../messages.ts";
import { type LogSyncState, type LogSyncTurn } from "../state.ts";
import { promisedEpoch } from "../voter.ts";
import { log } from "../effects.ts";

const LINE_INTERVAL_MS = 10_000;

/** The highest epoch that this node knows of: promised, in its log, or believed. */
export function knownEpoch(state: LogSyncState): Epoch {
  return Math.max(promisedEpoch(state), epochOf(state.log.index.tail), state.epochs.seen) as Epoch;
}

/** Returns false if the message names an epoch too far above the known one. The message must then be ignored. */
export function believes(turn: LogSyncTurn, from: ServerId, message: LogSyncPeerMessage): boolean {
  const { state } = turn;
  const { nowMs } = turn;
  const named = highestIn(message);
  const known = knownEpoch(state);
  if (named <= known) return true;
  const {
    epochs: { allowance },
  } = state;
  const step = takeAllowance(allowance, named - known, nowMs);
  state.epochs.seen = epoch(known + step);
  if (named === state.epochs.seen) return true;
  if (nowMs - allowance.loggedAtMs >= LINE_INTERVAL_MS) {
    allowance.loggedAtMs = nowMs;
    const detail = { from, message: message.kind, epoch: named, believed: state.epochs.seen };
    log(turn, "epochTooFarAhead", detail);
  }
  return false;
}

/** The highest epoch that this node would promise, choose, or take for a leader's because of the message. */
function highestIn(message: LogSyncPeerMessage): number {
  switch (message.kind) {
    case "promiseRequest":
    case "append":
      return message.epoch;
    case "promiseReply":
      return Math.max(message.promise.epoch, epochOf(message.lastZxid));
    case "deposed":
      return message.promise.epoch;
    case "surveyed":
      return Math.max(message.promisedEpoch, epochOf(message.tail), message.leads ?? EPOCH_NONE);
    default:
      // The other kinds are taken only in an epoch that this node leads or follows already.
      return EPOCH_NONE;
  }
}
