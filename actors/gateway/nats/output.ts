/**
 * The items of a turn of the loop go out to native clients as one frame for each connection. NATS takes whatever it is given and would
 * keep it in memory; so a client says what it has taken, and reads and changes wait for that.
 */
import { SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { encodeGatewayFrame, type EndReason, type OutputItem } from "../../../protocol/native.ts";
import {
  NATIVE_FRAME_BYTES_SOFT_MAX,
  NATIVE_UNTAKEN_BYTES_SOFT_MAX,
} from "../../../protocol/limits.ts";
import { enter, timeoutMsOf } from "../attachment.ts";
import { answerUntilMs } from "../contact.ts";
import { forgetInTree } from "../lane.ts";
import { noteEnd } from "./offenders.ts";
import { askForEndOfTurn, forgetShared } from "./portions.ts";
import type { Connection, State, Turn } from "./state.ts";

/** The bytes that an item takes beside data and names. */
const ITEM_BYTES = 150;

/** `payloadBytes` is about how many bytes of data and names the item carries. */
export function push(
  turn: Turn,
  connection: Connection,
  item: OutputItem,
  payloadBytes: number,
): void {
  const { state } = turn;
  connection.out.push(item);
  connection.outBytes += ITEM_BYTES + payloadBytes;
  state.outputBytes += ITEM_BYTES + payloadBytes;
  if (connection.outBytes >= NATIVE_FRAME_BYTES_SOFT_MAX) {
    flush(turn, connection);
    return;
  }
  askForEndOfTurn(turn);
  state.dirty.add(connection);
}

/** Returns how many bytes of answers and changes may be made for the connection now; one alone may be larger. */
export function outputBytesLeft(
  { options, requestBytes, outputBytes }: State,
  connection: Connection,
): number {
  const used = connection.outBytes + connection.untakenBytes;
  if (requestBytes + outputBytes < options.heldBytesMax)
    return NATIVE_UNTAKEN_BYTES_SOFT_MAX - used;
  // The gateway holds too much: each connection gets one answer at a time.
  return used === 0 ? 1 : 0;
}

/** The client has taken the frames up to this one. */
export function take(state: State, connection: Connection, sequence: number): void {
  const { untaken } = connection;
  let count = 0;
  for (const frame of untaken) {
    if (frame.sequence > sequence) break;
    count += 1;
    connection.untakenBytes -= frame.bytes;
    state.outputBytes -= frame.bytes;
  }
  untaken.splice(0, count);
}

export function flushAll(turn: Turn): void {
  forgetShared(turn.state.shared);
  for (const connection of turn.state.dirty) flush(turn, connection);
}

/** Sends what is left and may leave, says why, and forgets the connection. */
export function end(turn: Turn, connection: Connection, reason: EndReason): void {
  const { phase } = connection;
  // Before its password is known to be right, the session may be another client's.
  if (phase.kind === "attaching" || phase.kind === "attached" || phase.kind === "closing") {
    const session = phase.kind === "attaching" ? phase.wish.session : phase.session;
    if (session !== SESSION_NONE) {
      noteEnd(turn.state.offenders, session as SessionId, reason, turn.nowMs);
    }
  }
  flush(turn, connection);
  refuse(turn, connection.inbox, reason);
  forget(turn, connection);
}

/** Tells a client why it has no connection, or no longer. */
export function refuse(turn: Turn, inbox: string, reason: EndReason): void {
  // Sequence 0: outside of the connection's frames.
  const bytes = encodeGatewayFrame({ sequence: 0, items: [{ kind: "ended", reason }] });
  turn.effects.push({ kind: "publish", subject: inbox, bytes });
}

/** Sends what is left and may leave, and forgets the connection. */
export function forget(turn: Turn, connection: Connection): void {
  const { state } = turn;
  flush(turn, connection);
  state.openings.waiting.delete(connection);
  state.outputBytes -= connection.outBytes + connection.untakenBytes;
  connection.outBytes = 0;
  connection.untakenBytes = 0;
  state.requestBytes -= connection.queue.bytes;
  state.connections.delete(connection.number);
  state.byInbox.delete(connection.inbox);
  const asksTree = connection.treeStreams.size > 0 || connection.phase.kind === "checking";
  enter(state.sessions, connection, { kind: "ended" });
  if (asksTree) forgetInTree(turn, connection);
}

export function flush({ state, effects, nowMs }: Turn, connection: Connection): void {
  state.dirty.delete(connection);
  const { phase } = connection;
  if (connection.out.length === 0 || phase.kind === "ended") return;
  if (nowMs > answerUntilMs(connection.leaderHeardMs, timeoutMsOf(phase))) {
    state.sessions.withheld.add(connection);
    return;
  }
  connection.sent += 1;
  const bytes = encodeGatewayFrame({ sequence: connection.sent, items: connection.out });
  state.metrics.sent += connection.out.length;
  state.outputBytes += bytes.length - connection.outBytes;
  connection.untaken.push({ sequence: connection.sent, bytes: bytes.length });
  connection.untakenBytes += bytes.length;
  connection.out = [];
  connection.outBytes = 0;
  effects.push({ kind: "publish", subject: connection.inbox, bytes });
}
