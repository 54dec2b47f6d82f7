/** What log-sync says: to its peers, and to whoever reads the log of the node. */
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
 * A peer's message that no honest node sends to this one, or that proves that an invariant broke elsewhere. It is not acted
 * on: what is here stays as it is, and a stranger stops nobody.
 */
export function contradicts(turn: LogSyncTurn, from: ServerId, what: string): void {
  const { state } = turn;
  state.contradictions += 1;
  const times = state.contradictions;
  // The 1st, 2nd, 4th, 8th, …: a flood of them does not fill the log.
  if ((times & (times - 1)) !== 0) return;
  log(turn, "peerContradiction", { from, what, times });
}
