/**
 * The gateway of a lane for native clients, whose messages come over NATS. Messages may be lost: both sides number their
 * frames, and a gap ends the connection, after which the client attaches to its session again.
 */
import { unreachable } from "../../../protocol/assert.ts";
import { decodeClientFrame, type Frame, type ReceivedItem } from "../../../protocol/native.ts";
import type { Actor } from "../../../runtime/actor.ts";
import { emit } from "../../topics.ts";
import { servedBy } from "../attachment.ts";
import { type Protocol, receiveShared } from "../gateway.ts";
import type { NatsClientMessage, NatsGatewayMessage } from "../messages.ts";
import { REPORT_INTERVAL_MS } from "../metrics.ts";
import { answerBusy, answerLatencies } from "../parts.ts";
import { tellSlow } from "../slow-requests.ts";
import {
  finishOpening,
  noteWrongPasswords,
  open,
  prove,
  takeChecked,
  tick,
  tickMs,
} from "./connections.ts";
import { retire } from "./retire.ts";
import { end, flush, flushAll, push, refuse, take } from "./output.ts";
import { answerFoundWatches, answerMetrics, answerSessions, report } from "./parts.ts";
import { recover } from "./recover.ts";
import { pump, refuseRequest, request, takeAnswered, takeAnswers } from "./requests.ts";
import {
  type Connection,
  initialState,
  type NatsGatewayEffect,
  type NatsGatewayOptions,
  type State,
  type Turn,
} from "./state.ts";
import {
  addCredits,
  askForProgress,
  closeStream,
  goOn,
  openStream,
  refuseStream,
  takeChanges,
  takeCompacted,
} from "./streams.ts";
import { answerWord, askWord } from "./words.ts";

export type { NatsGatewayOptions, State as NatsGatewayState } from "./state.ts";

/** The limits of connections allow clients fewer messages than this at once; reaching it is a bug. */
const MAILBOX_CAPACITY = 1_000_000;
/** How often the streams of znodes that do not change are told how far they have come. */
const PROGRESS_INTERVAL_MS = 1_000;

export function natsGatewayActor(
  options: NatsGatewayOptions,
): Actor<State, NatsGatewayMessage, NatsGatewayEffect> {
  return {
    name: `nats/${options.lane}`,
    supervision: "recover",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: ({ effects, nowMs }) => {
      effects.push({ kind: "startTimer", timer: "tick", afterMs: tickMs(options) });
      return initialState(options, nowMs);
    },
    receive,
    recover: (turn, message, error) => {
      recover(PROTOCOL, turn, message, error);
    },
  };
}

function receive(turn: Turn, message: NatsGatewayMessage): void {
  switch (message.kind) {
    case "clientMessage":
      takeMessage(turn, message);
      return;
    case "endOfTurn":
      flushAll(turn);
      tellSlow(turn);
      return;
    case "adminAnswer":
      answerWord(turn, message);
      return;
    case "tellMetrics":
    case "resetMetrics":
      answerMetrics(turn, message);
      return;
    case "tellBusy":
      answerBusy(turn, message);
      return;
    case "findWatches":
      answerFoundWatches(turn, message);
      return;
    case "tellLatencies":
      answerLatencies(turn, message);
      return;
    case "listConnectedSessions":
      answerSessions(turn, message);
      return;
    case "timer":
      ticked(turn);
      return;
    case "retire":
      retire(turn);
      return;
    default:
      receiveShared(PROTOCOL, turn, message);
  }
}

const PROTOCOL: Protocol<Connection, Turn> = {
  end,
  checked: takeChecked,
  opened: finishOpening,
  answered: takeAnswers,
  released: flush,
  noticed: (turn, notice) => {
    if (notice.kind === "changes") takeChanges(turn, notice);
    // Native clients set no watches.
    else if (notice.kind === "compacted") takeCompacted(turn, notice);
  },
  led,
};

function takeMessage(turn: Turn, message: NatsClientMessage): void {
  const { state } = turn;
  const inbox = message.reply;
  // The client names the subject of its replies: nothing may be published where nodes listen.
  if (!inbox.startsWith(state.inboxPrefix)) return;
  if (state.wordSubjects.has(message.subject)) {
    askWord(turn, message);
    return;
  }
  const connection = state.byInbox.get(inbox);
  const frame = decoded(message.bytes);
  if (frame === undefined) {
    if (connection === undefined) refuse(turn, inbox, "badFrame");
    else end(turn, connection, "badFrame");
    return;
  }
  const first = frame.items[0];
  if (first?.kind === "open") {
    if (connection === undefined) open(turn, inbox, first);
  } else if (connection === undefined) {
    refuse(turn, inbox, "unknown");
  } else {
    takeFrame(turn, connection, frame);
  }
}

function takeFrame(turn: Turn, connection: Connection, frame: Frame<ReceivedItem>): void {
  const { state, nowMs } = turn;
  if (frame.sequence !== connection.received + 1) return end(turn, connection, "gap");
  connection.received += 1;
  connection.clientHeardMs = nowMs;
  const served = servedBy(connection);
  if (served === undefined) return end(turn, connection, "badFrame");
  state.contact.touched.add(served.session);
  for (const item of frame.items) {
    takeItem(turn, connection, item);
    if (!state.connections.has(connection.number)) return;
  }
  pump(turn, connection);
}

function takeItem(turn: Turn, connection: Connection, item: ReceivedItem): void {
  switch (item.kind) {
    case "auth":
      prove(turn, connection, item);
      return;
    case "ping":
      push(turn, connection, { kind: "pong", zxid: turn.state.zxid }, 0);
      return;
    case "taken":
      taken(turn, connection, item.sequence);
      return;
    case "answered":
      takeAnswered(connection, item.number);
      return;
    case "request":
      request(turn, connection, item.id, item.request);
      return;
    case "badRequest":
      refuseRequest(turn, connection, item.id, item.code);
      return;
    case "openStream":
      openStream(turn, connection, item);
      return;
    case "badStream":
      refuseStream(turn, connection, item.stream, item.code);
      return;
    case "credit":
      addCredits(turn, connection, item);
      return;
    case "closeStream":
      closeStream(turn, connection, item.stream);
      return;
    case "open":
      end(turn, connection, "badFrame");
      return;
    default:
      unreachable(item);
  }
}

/** The client has taken frames: there is room for more of its answers and changes. */
function taken(turn: Turn, connection: Connection, sequence: number): void {
  take(turn.state, connection, sequence);
  for (const stream of connection.streams.values()) goOn(turn, connection, stream);
}

/**
 * A node speaks to clients from when it first serves. Before that it may be a process that the ensemble does not take in, while
 * another process has its number; the clients of that one must not hear from this one.
 */
function led({ state, effects }: Turn): void {
  if (state.leader.kind === "lost" || state.hasServed) return;
  state.hasServed = true;
  effects.push(emit("serving", { kind: "serving" }));
}

function ticked(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  tick(turn);
  if (nowMs >= state.reportDueMs) {
    state.reportDueMs = nowMs + REPORT_INTERVAL_MS;
    report(turn);
    noteWrongPasswords(turn);
  }
  if (nowMs >= state.progressDueMs) {
    state.progressDueMs = nowMs + PROGRESS_INTERVAL_MS;
    askForProgress(turn);
  }
  effects.push({ kind: "startTimer", timer: "tick", afterMs: tickMs(state.options) });
}

function decoded(bytes: Uint8Array): Frame<ReceivedItem> | undefined {
  try {
    return decodeClientFrame(bytes);
  } catch {
    return undefined;
  }
}
