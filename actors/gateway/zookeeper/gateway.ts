/**
 * The ZooKeeper gateway of a lane has all TCP connections of the lane. It turns bytes into reads for the tree and writes for the
 * submitter, and their results into replies in request order. It decides nothing that safety needs; when it fails over a message,
 * the one connection that the message was about is closed.
 */
import type { Actor } from "../../../runtime/actor.ts";
import { PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import { unreachable } from "../../../protocol/assert.ts";
import type { ZooKeeperGatewayMessage, ZooKeeperTimer } from "../messages.ts";
import { servedBy } from "../attachment.ts";
import { type Protocol, receiveShared } from "../gateway.ts";
import { noteApplied } from "../gateway-state.ts";
import { answerBusy, answerLatencies } from "../parts.ts";
import {
  close,
  closeLateHandshakes,
  countRefused,
  forgetConnection,
  mayBeLong,
  open,
  refuse,
} from "./connections.ts";
import {
  answerExpired,
  closeExpired,
  closeMoved,
  finishHandshake,
  readHandshake,
  serveLine,
  takeChecked,
} from "./handshake.ts";
import { endGrace, endWithheld, led, released } from "./leadership.ts";
import { flushNotes, note } from "./notes.ts";
import {
  answerConnections,
  answerMetrics,
  answerSessions,
  answerWatches,
  answerFoundWatches,
  askClientWatches,
  askFoundWatches,
  askWatches,
} from "./parts.ts";
import { closeBehindAnswer, lookWhoIsLeft, retire } from "./retire.ts";
import { recover } from "./recover.ts";
import { heard } from "./read-only.ts";
import { reportInTurn, reportTimer } from "./report.ts";
import { tellSlow } from "../slow-requests.ts";
import { setUnsent, takeUnthrottled } from "./held.ts";
import { advance, releaseEvents, sendEvents } from "./requests.ts";
import {
  type Connection,
  initialState,
  type ZooKeeperGatewayEffect,
  type State,
  type Turn,
  type ZooKeeperGatewayOptions,
} from "./state.ts";
import { flushTouched, touch } from "./touches.ts";
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
      const { state } = turn;
      if (state.unthrottled.length > 0) state.unthrottled = [];
      handle(turn, message);
      if (state.throttled.size === 0) return;
      state.unthrottled = takeUnthrottled(state);
      for (const connection of state.unthrottled) advance(turn, connection);
    },
    recover: (turn, message, error) => {
      recover(PROTOCOL, turn, message, error);
    },
  };
}

function handle(turn: Turn, message: ZooKeeperGatewayMessage): void {
  switch (message.kind) {
    case "opened":
      open(turn, message.connection, message.remoteAddress, message.secure);
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
    case "adminAnswer": {
      const connection = turn.state.connections.get(message.client);
      if (connection?.phase.kind === "word") answerWord(turn, connection, message.text);
      return;
    }
    case "tellMetrics":
    case "resetMetrics":
      answerMetrics(turn, message);
      return;
    case "tellBusy":
      answerBusy(turn, message);
      return;
    case "tellLatencies":
      answerLatencies(turn, message);
      return;
    case "resetConnections":
    case "listConnections":
      answerConnections(turn, message);
      return;
    case "listWatches":
    case "watchList":
    case "findWatches":
    case "foundWatches":
    case "listConnectedSessions":
    case "clientWatches":
      takeOfWatches(turn, message);
      return;
    case "retire":
      retire(turn);
      return;
    case "endOfTurn":
      passWords(turn);
      releaseEvents(turn);
      tellSlow(turn);
      return;
    case "timer":
      takeTimer(turn, message.timer);
      return;
    default:
      receiveShared(PROTOCOL, turn, message);
  }
}

type OfWatches = Extract<
  ZooKeeperGatewayMessage,
  {
    readonly kind:
      | "listWatches"
      | "watchList"
      | "findWatches"
      | "foundWatches"
      | "listConnectedSessions"
      | "clientWatches";
  }
>;

/** What the admin actor asks, and the tree of the lane answers: it knows the watches, and the gateway whose they are. */
function takeOfWatches(turn: Turn, message: OfWatches): void {
  switch (message.kind) {
    case "listWatches":
      askWatches(turn, message);
      return;
    case "findWatches":
      askFoundWatches(turn, message);
      return;
    case "foundWatches":
      answerFoundWatches(turn, message);
      return;
    case "listConnectedSessions":
      askClientWatches(turn, message);
      return;
    case "clientWatches":
      answerSessions(turn, message);
      return;
    case "watchList":
      answerWatches(turn, message);
  }
}

const PROTOCOL: Protocol<Connection, Turn> = {
  end,
  checked: takeChecked,
  opened: finishHandshake,
  answered: (turn, connection, answerBytes) => {
    turn.state.heldBytes += answerBytes;
    advance(turn, connection);
    closeBehindAnswer(turn, connection);
  },
  released,
  noticed: (turn, notice) => {
    // This gateway opens no change streams.
    if (notice.kind !== "watchEvents") return;
    noteApplied(turn.state, notice.events.at(-1)?.zxid);
    const connection = turn.state.connections.get(notice.client);
    if (connection === undefined || servedBy(connection) === undefined) return;
    sendEvents(turn, connection, notice.events);
  },
  led,
};

function end(turn: Turn, connection: Connection, reason: "moved" | "expired" | "unknown"): void {
  const { phase } = connection;
  if (reason === "moved") closeMoved(turn, connection);
  else if (reason === "unknown") close(turn, connection);
  else if (phase.kind === "checking") answerExpired(turn, connection, phase.wish);
  else closeExpired(turn, connection);
}

function takeBytes(turn: Turn, number: number, bytes: Uint8Array): void {
  const connection = turn.state.connections.get(number);
  if (connection === undefined) return;
  const { phase, frames } = connection;
  switch (phase.kind) {
    case "opened":
      frames.push(bytes);
      if (!mayBeLong(turn.state, connection)) {
        refuse(turn, connection, "a long handshake, beside as many others as are read at once");
      } else if (!askWord(turn, connection)) {
        readHandshake(turn, connection);
      }
      return;
    case "awaitingLeader":
    case "awaitingToken":
    case "checking":
    case "attaching":
      frames.push(bytes);
      frames.settle();
      if (frames.buffered > PACKET_BYTES_MAX) {
        refuse(turn, connection, "too many bytes before the handshake was answered");
      }
      return;
    case "attached":
      if (phase.readOnly === undefined) touch(turn, phase.session);
      else heard(turn, connection, phase.timeoutMs);
      frames.push(bytes);
      advance(turn, connection);
      // Only pings are answered at once.
      closeBehindAnswer(turn, connection);
      return;
    case "word":
    case "closing":
    case "ended":
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
  if (servedBy(connection) !== undefined) advance(turn, connection);
}

/** A client that takes a large answer is alive, though its pings may stand behind requests that are not read yet. */
function takeTaken(turn: Turn, number: number): void {
  const connection = turn.state.connections.get(number);
  const served = connection === undefined ? undefined : servedBy(connection);
  if (served === undefined) return;
  if (served.readOnly === undefined) touch(turn, served.session);
  else if (connection !== undefined) heard(turn, connection, served.timeoutMs);
}

/**
 * The end of a client's stream ends its connection, as in ZooKeeper; but a word that was asked before it is answered.
 */
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

function takeTimer(turn: Turn, timer: ZooKeeperTimer): void {
  switch (timer) {
    case "touch":
      flushTouched(turn);
      return;
    case "grace":
      endGrace(turn);
      return;
    case "withheld":
      endWithheld(turn);
      return;
    case "handshake":
      closeLateHandshakes(turn);
      return;
    case "tokens":
      serveLine(turn);
      return;
    case "notes":
      flushNotes(turn);
      return;
    case "report":
      reportInTurn(turn);
      return;
    case "retire":
      lookWhoIsLeft(turn, turn.state.retiringSinceMs ?? turn.nowMs);
      return;
    default:
      unreachable(timer);
  }
}
