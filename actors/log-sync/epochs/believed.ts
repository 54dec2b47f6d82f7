/**
 * How fast the epoch may grow by what peers say. There are 2^21 epochs, and a promise is for ever: so one message that names a
 * high epoch must not use them up. An epoch is believed when it is at most an allowance above what is known here; the
 * allowance refills with time, and an epoch beyond it brings the node closer to it as fast as that. So a node that was away
 * for however many elections gets there, and whoever forges epochs needs hours. The choice: docs/decisions/0014-epochs.md.
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

/** False: the message names an epoch too far above what is known, and is not to be acted on. */
export function believes(turn: LogSyncTurn, from: ServerId, message: LogSyncPeerMessage): boolean {
  const { state } = turn;
  const { nowMs } = turn;
  const heard = highestIn(message);
  const known = knownEpoch(state);
  if (heard <= known) return true;
  const {
    epochs: { allowance },
  } = state;
  const step = takeAllowance(allowance, heard - known, nowMs);
  state.epochs.seen = epoch(known + step);
  if (heard === state.epochs.seen) return true;
  if (nowMs - allowance.toldAtMs >= LINE_INTERVAL_MS) {
    allowance.toldAtMs = nowMs;
    const detail = { from, message: message.kind, epoch: heard, believed: state.epochs.seen };
    log(turn, "epochTooFarAhead", detail);
  }
  return false;
}

/** Of what this node would promise, choose, or take for a leader's because of the message. */
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
      // The others only count in an epoch that this node already leads or follows.
      return EPOCH_NONE;
  }
}
