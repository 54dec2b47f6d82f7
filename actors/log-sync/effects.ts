/** How log-sync sends messages to its peers, and how it writes to the node's log. */
import type { EventName } from "../../protocol/events.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { EventDetail } from "../../runtime/effects.ts";
import { logEvent } from "../log-event.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import type { LogSyncTurn } from "./state.ts";

export function sendTo(turn: LogSyncTurn, to: ServerId, message: LogSyncPeerMessage): void {
  turn.effects.push({ kind: "send", to, actor: "log-sync", message });
}

export function broadcast(turn: LogSyncTurn, message: LogSyncPeerMessage): void {
  turn.effects.push({ kind: "broadcast", actor: "log-sync", message });
}

export function log(turn: LogSyncTurn, event: EventName, detail: EventDetail): void {
  turn.effects.push(logEvent(event, detail));
}

/**
 * Reports a message that no honest node would send to this one, or that proves that an invariant has been broken elsewhere. The message
 * is not acted on: this node keeps its state, and a stranger cannot stop it.
 */
export function contradicts(turn: LogSyncTurn, from: ServerId, what: string): void {
  const { state } = turn;
  state.contradictions += 1;
  const times = state.contradictions;
  // Only the 1st, 2nd, 4th, 8th, … of them is logged, so that a flood does not fill the node's log.
  if ((times & (times - 1)) !== 0) return;
  log(turn, "peerContradiction", { from, what, times });
}
