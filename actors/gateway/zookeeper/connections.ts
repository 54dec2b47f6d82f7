/** Connections come and go: the time allowed for a handshake, closing. */
import { logEvent } from "../../log-event.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { tell } from "../../inboxes.ts";
import { forgetHeld } from "./held.ts";
import { note } from "./notes.ts";
import { type Connection, newConnection, type Output, type Phase, type Turn } from "./state.ts";
import type { EventName } from "../../../protocol/events.ts";

export function open(turn: Turn, number: number, remoteAddress: string): void {
  const { state } = turn;
  const { handshakeTimeoutMs } = state.options;
  const deadlineMs = turn.nowMs + handshakeTimeoutMs;
  const connection = newConnection(number, remoteAddress, deadlineMs);
  state.connections.set(number, connection);
  if (state.opened.size === 0) startHandshakeTimer(turn, handshakeTimeoutMs);
  state.opened.add(connection);
}

/** A time again until which its handshake has to be done. */
export function expectHandshake(turn: Turn, connection: Connection): number {
  const { opened, options } = turn.state;
  if (opened.size === 0) startHandshakeTimer(turn, options.handshakeTimeoutMs);
  opened.add(connection);
  return turn.nowMs + options.handshakeTimeoutMs;
}

/** The listener turned a client away. */
export function countRefused(output: Output, remoteAddress: string, reason: string): void {
  output.state.refused += 1;
  note(output, "connectionRefused", remoteAddress, reason);
}

const LATE = {
  opened: "no handshake in time",
  word: "no answer to its word",
  checking: "this node does not know its session yet",
} as const;

/** Closes what has been open for too long without asking for a session. */
export function closeLateHandshakes(turn: Turn): void {
  const { nowMs } = turn;
  for (const connection of turn.state.opened) {
    const { phase } = connection;
    if (!("deadlineMs" in phase)) continue;
    if (phase.deadlineMs > nowMs) {
      startHandshakeTimer(turn, phase.deadlineMs - nowMs);
      return;
    }
    refuse(turn, connection, LATE[phase.kind]);
  }
}

function startHandshakeTimer(turn: Turn, afterMs: number): void {
  turn.effects.push({ kind: "startTimer", timer: "handshake", afterMs: Math.max(1, afterMs) });
}

/** Closes a connection whose client broke a rule, with a line in the log. */
export function refuse(output: Output, connection: Connection, reason: string): void {
  closeWithNote(output, connection, "connectionRefused", reason);
}

export function closeWithNote(
  output: Output,
  connection: Connection,
  event: EventName,
  reason: string,
): void {
  note(output, event, connection.remoteAddress, reason);
  close(output, connection);
}

/** Closes after what was written has gone out. */
export function close(output: Output, connection: Connection): void {
  if (connection.phase.kind === "closing") return;
  enter(output, connection, { kind: "closing" });
  output.effects.push({ kind: "close", connection: connection.number });
}

/** What the connections wait for, or hold to, is not certain any more. Their clients attach and set their watches again. */
export function closeAll(output: Output, event: "closedForSnapshot" | "closedAfterFailure"): void {
  let closed = 0;
  for (const connection of output.state.connections.values()) {
    if (connection.phase.kind === "closing") continue;
    close(output, connection);
    closed += 1;
  }
  const detail = { connections: closed };
  output.effects.push(logEvent(event, detail));
}

/** The socket is gone. */
export function forgetConnection(output: Output, connection: Connection): void {
  enter(output, connection, { kind: "closing" });
  output.state.connections.delete(connection.number);
}

function forgetInTree({ state, effects }: Output, { number: client }: Connection): void {
  effects.push(tell(`tree/${state.lane}`, { kind: "forget", from: state.name, client }));
}

/** Leaves the connection's phase, with all that belongs to it, for the next. */
export function enter(output: Output, connection: Connection, next: Phase): void {
  const { state } = output;
  const { phase } = connection;
  if (!("deadlineMs" in next)) state.opened.delete(connection);
  if (phase.kind === "connecting") {
    const session = phase.request.session as SessionId;
    const attaching = state.attaching.get(session);
    attaching?.delete(connection);
    if (attaching?.size === 0) state.attaching.delete(session);
  }
  if (phase.kind === "checking" && next.kind === "closing") forgetInTree(output, connection);
  if (phase.kind === "attached" && next.kind === "closing") {
    if (state.sessions.get(phase.session) === connection) state.sessions.delete(phase.session);
    forgetInTree(output, connection);
    forgetHeld(state, connection);
    state.waiting.delete(connection);
  }
  connection.phase = next;
}
