/**
 * After a failure the state may say that something is under way which the turn that failed asked for in vain. What the lane waits for
 * is asked for again; a client that has lost a frame notices that by the next frame, and attaches again.
 */
import { logEvent } from "../../log-event.ts";
import { endAll, isAboutSessions, type Protocol } from "../gateway.ts";
import type { NatsGatewayMessage } from "../messages.ts";
import { tickMs } from "./connections.ts";
import { end, refuse } from "./output.ts";
import { forgetShared } from "./portions.ts";
import type { Connection, State, Turn } from "./state.ts";
import { openNext } from "./streams.ts";

/** A failure costs the connection whose message it was, or all of them, where it may have concerned each. */
export function recover(
  protocol: Protocol<Connection, Turn>,
  failed: Turn,
  message: NatsGatewayMessage,
  error: unknown,
): void {
  // As if it were too late for answers, so that only the end is said.
  const turn: Turn = { ...failed, nowMs: Number.POSITIVE_INFINITY };
  const { state, effects } = turn;
  const connection = connectionOf(state, message);
  const detail = { message: message.kind, inbox: connection?.inbox, error: String(error) };
  effects.push(logEvent("connectionFailed", detail));
  if (connection !== undefined) end(turn, connection, "unknown");
  else if (message.kind === "clientMessage" && message.reply.startsWith(state.inboxPrefix)) {
    refuse(turn, message.reply, "unknown");
  }
  // In a tick requests of any connection may have been handed on, and the queues say that they were.
  if (isAboutSessions(message) || message.kind === "timer")
    endAll(protocol, turn, "closedAfterFailure");
  // A frame to them was numbered and not sent, so the numbers have a gap: their clients attach again.
  for (const cut of cutShort(state)) end(turn, cut, "unknown");
  continueOpening(turn);
  forgetShared(state.shared);
  if (state.dirty.size > 0) effects.push({ kind: "endOfTurn" });
  // The runtime tells the leadership again, and this gateway then says again that it serves.
  if (message.kind === "leadership") state.hasServed = false;
  if (message.kind === "timer") {
    effects.push({ kind: "startTimer", timer: message.timer, afterMs: tickMs(state.options) });
  }
}

/** Returns the connections whose turn had come in a flush that failed, and that still have items to send. */
function cutShort({ connections, dirty, sessions }: State): Connection[] {
  return [...connections.values()].filter(
    (connection) =>
      connection.out.length > 0 && !dirty.has(connection) && !sessions.withheld.has(connection),
  );
}

/** All openings of streams wait for one. The tree may not have been asked for that one, or its answer may be lost. */
function continueOpening(turn: Turn): void {
  const { openings, connections } = turn.state;
  const { underWay } = openings;
  if (underWay === undefined) return;
  for (const connection of connections.values()) {
    if (connection.treeStreams.has(underWay)) end(turn, connection, "unknown");
  }
  openings.underWay = undefined;
  openNext(turn);
}

function connectionOf(state: State, message: NatsGatewayMessage): Connection | undefined {
  if (message.kind === "clientMessage") return state.byInbox.get(message.reply);
  return "client" in message ? state.connections.get(message.client) : undefined;
}
