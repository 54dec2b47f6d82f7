/**
 * The ZooKeeper gateway of a lane: all its TCP connections. It turns bytes into reads for the lane's tree and writes for the
 * lane's submitter, and their results into replies in request order. It decides nothing that safety needs; when it fails over
 * a message, the one connection that the message was about is closed.
 */
import { logEvent } from "../../log-event.ts";
import type { Actor } from "../../../runtime/actor.ts";
import { PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { unreachable } from "../../../protocol/assert.ts";
import type { ZooKeeperGatewayMessage, ZooKeeperTimer } from "../messages.ts";
import type { Written } from "../../submitter/messages.ts";
import type { TreeReply } from "../../tree/messages.ts";
import {
  close,
  closeAll,
  closeLateHandshakes,
  countRefused,
  forgetConnection,
  open,
  refuse,
} from "./connections.ts";
import { finishHandshake, followSessions, readHandshake, takeChecked } from "./handshake.ts";
import { endGrace, endWaiting, followHeard, followLeadership } from "./leadership.ts";
import { flushNotes, note } from "./notes.ts";
import { reportInTurn, reportTimer } from "./report.ts";
import { setUnsent, takeReleased } from "./held.ts";
import { advance, sendEvents, takeReads } from "./requests.ts";
import {
  initialState,
  type ZooKeeperGatewayEffect,
  type State,
  type Turn,
  type ZooKeeperGatewayOptions,
} from "./state.ts";
import { flushTouched, startTouchTimer } from "./touches.ts";
import { answerWord, askWord, passWords } from "./words.ts";

export type { State, ZooKeeperGatewayOptions } from "./state.ts";

/** Each connection has at most a chunk of bytes and a few results waiting here, so this is never reached. */
const MAILBOX_CAPACITY = 1_000_000;

export function zooKeeperGatewayActor(
  options: ZooKeeperGatewayOptions,
): Actor<State, ZooKeeperGatewayMessage, ZooKeeperGatewayEffect> {
  return {
    name: `zookeeper/${options.lane}`,
    supervision: "recover",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: ({ effects, nowMs }) => {
      effects.push(reportTimer());
      return initialState(options, nowMs);
    },
    receive: (turn, message) => {
      handle(turn, message);
      if (turn.state.heldBack.size === 0) return;
      for (const connection of takeReleased(turn.state)) advance(turn, connection);
    },
    recover,
  };
}

function handle(turn: Turn, message: ZooKeeperGatewayMessage): void {
  switch (message.kind) {
    case "opened":
      open(turn, message.connection, message.remoteAddress);
      return;
    case "refused":
      countRefused(turn, message.remoteAddress, message.reason);
      return;
    case "bytes":
      takeBytes(turn, message.connection, message.bytes);
      return;
    case "drained":
      takeDrained(turn, message.connection);
      return;
    case "taken":
      takeTaken(turn, message.connection);
      return;
    case "ended":
      takeEnded(turn, message.connection);
      return;
    case "closed":
      takeClosed(turn, message.connection, message.reason);
      return;
    case "written":
      takeWritten(turn, message);
      return;
    case "readDone":
    case "sessionChecked":
    case "watchEvents":
    case "changes":
    case "compacted":
      takeTreeReply(turn, message);
      return;
    case "treeMemory":
      turn.state.sessionsFull = message.sessionsFull;
      return;
    case "treeReset":
      closeAll(turn, "closedForSnapshot");
      return;
    case "sessionChanges":
      followSessions(turn, message);
      return;
    case "leadership":
      followLeadership(turn, message);
      return;
    case "leaderHeard":
      followHeard(turn, message);
      return;
    case "adminAnswer": {
      const connection = turn.state.connections.get(message.client);
      if (connection?.phase.kind === "word") answerWord(turn, connection, message.text);
      return;
    }
    case "endOfTurn":
      passWords(turn);
      return;
    case "timer":
      takeTimer(turn, message.timer);
      return;
    default:
      unreachable(message);
  }
}

function takeBytes(turn: Turn, number: number, bytes: Uint8Array): void {
  const { state } = turn;
  const connection = state.connections.get(number);
  if (connection === undefined || connection.ending) return;
  const { phase, frames } = connection;
  switch (phase.kind) {
    case "opened":
      frames.push(bytes);
      if (!askWord(turn, connection)) readHandshake(turn, connection);
      return;
    case "held":
    case "checking":
    case "connecting":
      frames.push(bytes);
      frames.settle();
      if (frames.buffered > PACKET_BYTES_MAX) {
        refuse(turn, connection, "too many bytes before the handshake was answered");
      }
      return;
    case "attached":
      state.contact.touched.add(phase.session);
      startTouchTimer(turn);
      frames.push(bytes);
      advance(turn, connection);
      return;
    case "word":
    case "closing":
      return;
    default:
      unreachable(phase);
  }
}

function takeDrained(turn: Turn, number: number): void {
  const connection = turn.state.connections.get(number);
  if (connection === undefined) return;
  setUnsent(turn.state, connection, 0);
  takeTaken(turn, number);
  if (connection.phase.kind === "attached") advance(turn, connection);
}

/** Who takes a large answer is there, though what it sends may stand behind requests that are not read yet. */
function takeTaken(turn: Turn, number: number): void {
  const phase = turn.state.connections.get(number)?.phase;
  if (phase?.kind !== "attached") return;
  turn.state.contact.touched.add(phase.session);
  startTouchTimer(turn);
}

/** As ZooKeeper, which reads the end of a client's stream as the end of its connection, but answers a word that was asked before it. */
function takeEnded(turn: Turn, number: number): void {
  const connection = turn.state.connections.get(number);
  if (connection !== undefined && connection.phase.kind !== "word") close(turn, connection);
}

function takeClosed(turn: Turn, number: number, reason: string | undefined): void {
  const connection = turn.state.connections.get(number);
  if (connection === undefined) return;
  if (reason !== undefined) note(turn, "cutOff", connection.remoteAddress, reason);
  forgetConnection(turn, connection);
}

function takeWritten(turn: Turn, { client, zxids, results }: Written): void {
  seen(turn, zxids.at(-1));
  const connection = turn.state.connections.get(client);
  const first = results[0];
  const zxid = zxids[0];
  if (connection === undefined || first === undefined || zxid === undefined) return;
  const { phase } = connection;
  if (phase.kind === "connecting") {
    finishHandshake(turn, connection, phase, zxid, first);
  } else if (phase.kind === "attached") {
    connection.queue.answerWrites(zxids, results);
    advance(turn, connection);
  }
}

function takeTreeReply(turn: Turn, reply: TreeReply): void {
  const connection = turn.state.connections.get(reply.client);
  switch (reply.kind) {
    case "readDone":
      seen(turn, reply.zxid);
      if (connection?.phase.kind !== "attached") return;
      takeReads(turn, connection, reply.zxid, reply.results);
      return;
    case "sessionChecked":
      seen(turn, reply.zxid);
      if (connection !== undefined) takeChecked(turn, connection, reply.verdict);
      return;
    case "watchEvents":
      seen(turn, reply.events.at(-1)?.zxid);
      if (connection?.phase.kind !== "attached") return;
      sendEvents(turn, connection, reply.events);
      return;
    case "changes":
    case "compacted":
      return; // streams of native clients only; this gateway opens none
    default:
      unreachable(reply);
  }
}

function takeTimer(turn: Turn, timer: ZooKeeperTimer): void {
  switch (timer) {
    case "touch":
      flushTouched(turn);
      return;
    case "grace":
      endGrace(turn);
      return;
    case "waiting":
      endWaiting(turn);
      return;
    case "handshake":
      closeLateHandshakes(turn);
      return;
    case "notes":
      flushNotes(turn);
      return;
    case "report":
      reportInTurn(turn);
      return;
    default:
      unreachable(timer);
  }
}

function seen({ state }: Turn, zxid: Zxid | undefined): void {
  if (zxid !== undefined && zxid > state.zxid) state.zxid = zxid;
}

/** The failure costs the connection whose message it was, or all of them, where it may have concerned each. */
function recover(turn: Turn, message: ZooKeeperGatewayMessage, error: unknown): void {
  const { state, effects } = turn;
  state.writer.take(); // half a reply, perhaps
  const number = connectionOf(message);
  const connection = number === undefined ? undefined : state.connections.get(number);
  if (connection !== undefined) refuse(turn, connection, `a failure: ${String(error)}`);
  else {
    const detail = { message: message.kind, error: String(error) };
    effects.push(logEvent("connectionFailed", detail));
  }
  // Without a word about it the socket would stay open, and never be answered.
  if (message.kind === "opened" && connection === undefined) {
    effects.push({ kind: "close", connection: message.connection });
  }
  // A session may have ended, or gone to another connection.
  if (message.kind === "sessionChanges" || message.kind === "treeReset") {
    closeAll(turn, "closedAfterFailure");
  }
  if (message.kind === "endOfTurn") effects.push(message);
  if (message.kind === "timer") {
    effects.push({ kind: "startTimer", timer: message.timer, afterMs: RETRY_MS });
  }
}

const RETRY_MS = 1000;

function connectionOf(message: ZooKeeperGatewayMessage): number | undefined {
  if ("connection" in message) return message.connection;
  if ("client" in message) return message.client;
  return undefined;
}
