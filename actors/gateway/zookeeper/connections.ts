/** Connections of ZooKeeper clients are opened, given some time for their handshake, and closed. */
import type { EventName } from "../../../protocol/events.ts";
import type { SecurePeer } from "../../../runtime/connections/tls/terms.ts";
import { HANDSHAKE_BYTES_USUAL, LONG_HANDSHAKES_MAX } from "../../../protocol/limits.ts";
import { enter, servedBy } from "../attachment.ts";
import { forgetInTree } from "../lane.ts";
import { addressIdentity, firstIdentities } from "./authentication.ts";
import { forgetHeld } from "./held.ts";
import { note } from "./notes.ts";
import {
  type Connection,
  newConnection,
  type Output,
  type Phase,
  type State,
  type Turn,
} from "./state.ts";

/** `secure` tells of a client that speaks TLS: the name in the certificate that it has shown. */
export function open(
  turn: Turn,
  number: number,
  remoteAddress: string,
  secure: SecurePeer | undefined,
): void {
  const { authentication } = turn.state.options;
  const who = firstIdentities(authentication, addressIdentity(remoteAddress), secure?.subject);
  const isSecure = secure !== undefined;
  const connection = newConnection(number, { remoteAddress, isSecure, who }, turn.wallMs);
  turn.state.connections.set(number, connection);
  expectHandshake(turn, connection);
}

/** Gives the connection the time of a handshake, unless it has been given it already. */
export function expectHandshake(turn: Turn, connection: Connection): void {
  const { handshakes, options } = turn.state;
  if (handshakes.has(connection)) return;
  if (handshakes.size === 0) startHandshakeTimer(turn, options.handshakeTimeoutMs);
  handshakes.set(connection, turn.nowMs + options.handshakeTimeoutMs);
}

/** Whether what the connection has sent of its handshake is short, or one of the few long ones. */
export function mayBeLong({ longHandshakes }: State, connection: Connection): boolean {
  if (connection.frames.buffered <= HANDSHAKE_BYTES_USUAL) return true;
  longHandshakes.add(connection);
  return longHandshakes.size <= LONG_HANDSHAKES_MAX;
}

/** The listener turned a client away. */
export function countRefused(output: Output, remoteAddress: string, reason: string): void {
  output.state.metrics.refused += 1;
  note(output, "connectionRefused", remoteAddress, reason);
}

/** In these phases the time of a handshake runs. When it is over the connection is closed, for this reason. */
const LATE = {
  opened: "no handshake in time",
  word: "no answer to its word",
  checking: "this node does not know its session yet",
  awaitingToken: "more sessions are asked for at once than this node takes",
} as const;

function isTimed(kind: Phase["kind"]): kind is keyof typeof LATE {
  return kind in LATE;
}

/** Closes connections that have been open for too long without a session. */
export function closeLateHandshakes(turn: Turn): void {
  const { nowMs } = turn;
  for (const [connection, deadlineMs] of turn.state.handshakes) {
    if (deadlineMs > nowMs) {
      startHandshakeTimer(turn, deadlineMs - nowMs);
      return;
    }
    const { kind } = connection.phase;
    if (isTimed(kind)) refuse(turn, connection, LATE[kind]);
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

/** Closes the connection after what was written has gone out. */
export function close(output: Output, connection: Connection): void {
  if (connection.phase.kind === "ended") return;
  end(output, connection);
  output.effects.push({ kind: "close", connection: connection.number });
}

/** The socket is gone. */
export function forgetConnection(output: Output, connection: Connection): void {
  end(output, connection);
  output.state.connections.delete(connection.number);
}

function end(output: Output, connection: Connection): void {
  const isServed = servedBy(connection) !== undefined;
  if (isServed) forgetHeld(output.state, connection);
  if (isServed || connection.phase.kind === "checking") forgetInTree(output, connection);
  enterPhase(output, connection, { kind: "ended" });
}

/** Leaves the connection's phase for the next. */
export function enterPhase({ state }: Output, connection: Connection, next: Phase): void {
  if (!isTimed(next.kind)) state.handshakes.delete(connection);
  state.longHandshakes.delete(connection);
  state.tokens.waiting.delete(connection);
  enter(state.sessions, connection, next);
}
