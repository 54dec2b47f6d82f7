/**
 * The gateway of a lane for native clients, whose messages come over NATS. Messages may be lost: both sides number their
 * frames, and a gap ends the connection, after which the client attaches to its session again.
 */
import { logEvent } from "../../log-event.ts";
import { unreachable } from "../../../protocol/assert.ts";
import { GATEWAY_HELD_BYTES_MAX, STREAM_PENDING_BYTES_MAX } from "../../../protocol/limits.ts";
import { decodeClientFrame, type Frame, type HeardItem } from "../../../protocol/native.ts";
import { EPOCH_NONE, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Actor } from "../../../runtime/actor.ts";
import type { GatewayReport } from "../../admin/messages.ts";
import { tell } from "../../inboxes.ts";
import { emit } from "../../topics.ts";
import type { Leadership } from "../../../protocol/replication.ts";
import type { Written } from "../../submitter/messages.ts";
import type { NatsClientMessage, NatsGatewayMessage } from "../messages.ts";
import { newContact } from "../contact.ts";
import {
  checkedCame,
  closeAll,
  leaderHeard,
  noteWrongPasswords,
  open,
  openedCame,
  sessionsChanged,
  tick,
  TICK_MS,
} from "./connections.ts";
import { end, flushAll, push, refuse, take } from "./output.ts";
import { pump, readDoneCame, refuseRequest, request, writtenCame } from "./requests.ts";
import type { Connection, NatsGatewayEffect, NatsGatewayOptions, State, Turn } from "./state.ts";
import {
  addCredits,
  changesCame,
  closeStream,
  compactedCame,
  goOn,
  openStream,
  refuseStream,
} from "./streams.ts";

export type { NatsGatewayOptions, State as NatsGatewayState } from "./state.ts";

const DEFAULTS = {
  heldBytesMax: GATEWAY_HELD_BYTES_MAX,
  failoverGraceMs: 2000,
  streamPendingBytesMax: STREAM_PENDING_BYTES_MAX,
} as const;
const REPORT_INTERVAL_MS = 1000;
/** More than clients can have under way at once by the limits of connections; reaching it is a bug. */
const MAILBOX_CAPACITY = 1_000_000;

export function natsGatewayActor(
  options: NatsGatewayOptions,
): Actor<State, NatsGatewayMessage, NatsGatewayEffect> {
  return {
    name: `nats/${options.lane}`,
    supervision: "recover",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: ({ effects, nowMs }) => {
      effects.push({ kind: "startTimer", timer: "tick", afterMs: TICK_MS });
      return createState({ ...DEFAULTS, ...options }, nowMs);
    },
    receive,
    recover,
  };
}

function receive(turn: Turn, message: NatsGatewayMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "clientMessage":
      clientMessage(turn, message);
      return;
    case "written":
      written(turn, message);
      return;
    case "readDone":
      readDoneCame(turn, message);
      return;
    case "sessionChecked":
      checkedCame(turn, message);
      return;
    case "changes":
      changesCame(turn, message);
      return;
    case "compacted":
      compactedCame(turn, message);
      return;
    case "watchEvents":
      // Native clients set no watches.
      return;
    case "treeMemory":
      state.sessionsFull = message.sessionsFull;
      return;
    case "treeReset":
      closeAll(turn, "closedForSnapshot");
      return;
    case "sessionChanges":
      sessionsChanged(turn, message);
      return;
    case "leadership":
      leadership(turn, message);
      return;
    case "leaderHeard":
      leaderHeard(turn, message);
      return;
    case "endOfTurn":
      flushAll(turn);
      return;
    case "timer":
      ticked(turn);
      return;
    default:
      unreachable(message);
  }
}

/** A failure costs the connection whose message it was, or all of them, where it may have concerned each. */
function recover(failed: Turn, message: NatsGatewayMessage, error: unknown): void {
  // As if it were too late for answers, so that only the end is said.
  const turn: Turn = { ...failed, nowMs: Number.POSITIVE_INFINITY };
  const { state, effects } = turn;
  const connection = connectionOf(state, message);
  const detail = { message: message.kind, inbox: connection?.inbox, error: String(error) };
  effects.push(logEvent("connectionFailed", detail));
  if (connection !== undefined) end(turn, connection, "unknown");
  // A session may have ended, or gone to another connection.
  if (message.kind === "sessionChanges" || message.kind === "treeReset") {
    closeAll(turn, "closedAfterFailure");
  }
  if (message.kind === "endOfTurn") {
    // What was to go out to them stands half in the frames' numbers: they attach again.
    for (const cut of cutShort(state)) end(turn, cut, "unknown");
    effects.push(message);
  }
  if (message.kind === "timer") {
    effects.push({ kind: "startTimer", timer: message.timer, afterMs: TICK_MS });
  }
}

/** Their turn had come in a flush that failed, and they still have what was to go out. */
function cutShort(state: State): Connection[] {
  return [...state.connections.values()].filter(
    (connection) =>
      connection.out.length > 0 && !state.dirty.has(connection) && !state.held.has(connection),
  );
}

function connectionOf(state: State, message: NatsGatewayMessage): Connection | undefined {
  if (message.kind === "clientMessage") return state.byInbox.get(message.reply);
  return "client" in message ? state.connections.get(message.client) : undefined;
}

function clientMessage(turn: Turn, message: NatsClientMessage): void {
  const { state } = turn;
  const inbox = message.reply;
  // The subject is the client's word: never publish where nodes listen.
  if (!inbox.startsWith(state.inboxPrefix)) return;
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
    clientFrame(turn, connection, frame);
  }
}

function clientFrame(turn: Turn, connection: Connection, frame: Frame<HeardItem>): void {
  const { state, nowMs } = turn;
  if (frame.sequence !== connection.received + 1) return end(turn, connection, "gap");
  connection.received += 1;
  connection.heardAtMs = nowMs;
  const { phase } = connection;
  if (phase.kind === "opening" || phase.kind === "checking") {
    return end(turn, connection, "badFrame");
  }
  state.contact.touched.add(phase.session);
  for (const item of frame.items) {
    clientItem(turn, connection, item);
    if (!state.connections.has(connection.number)) return;
  }
  pump(turn, connection);
}

function clientItem(turn: Turn, connection: Connection, item: HeardItem): void {
  switch (item.kind) {
    case "ping":
      push(turn, connection, { kind: "pong", zxid: turn.state.zxid }, 0);
      return;
    case "taken":
      taken(turn, connection, item.sequence);
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

/** There is room for more of the client's answers and changes. */
function taken(turn: Turn, connection: Connection, sequence: number): void {
  take(turn.state, connection, sequence);
  for (const stream of connection.streams.values()) goOn(turn, connection, stream);
}

function written(turn: Turn, message: Written): void {
  const connection = turn.state.connections.get(message.client);
  if (connection === undefined) return;
  if (connection.phase.kind === "opening") openedCame(turn, connection, message);
  else writtenCame(turn, connection, message);
}

/**
 * A node speaks to clients from when it first serves. Before that it may be a process that the ensemble does not take in, and
 * another one has its number, whose clients must not hear of it.
 */
function leadership({ state, effects, nowMs }: Turn, message: Leadership): void {
  const serving = message.role === "following" || message.role === "leading";
  if (serving && !state.hasServed) {
    state.hasServed = true;
    effects.push(emit("serving", { kind: "serving" }));
  }
  if (state.serving && !serving) state.leaderlessSinceMs = nowMs;
  state.serving = serving;
  state.admission = message.admission;
  state.epoch = message.epoch;
}

function ticked(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  tick(turn);
  if (nowMs >= state.reportDueMs) {
    state.reportDueMs = nowMs + REPORT_INTERVAL_MS;
    effects.push(tell("admin", report(state)));
    noteWrongPasswords(turn);
  }
  effects.push({ kind: "startTimer", timer: "tick", afterMs: TICK_MS });
}

function report(state: State): GatewayReport {
  const { count, totalMs, minMs, maxMs } = state.latency;
  let outstanding = 0;
  for (const { waiting, writes, reads } of state.connections.values()) {
    outstanding += waiting.length + writes.length + reads.length;
  }
  return {
    kind: "gatewayReport",
    gateway: state.name,
    connections: state.connections.size,
    refused: 0,
    received: state.received,
    sent: state.sent,
    outstanding,
    latencyMs: { min: minMs, average: count === 0 ? 0 : totalMs / count, max: maxMs },
    clients: [],
  };
}

function decoded(bytes: Uint8Array): Frame<HeardItem> | undefined {
  try {
    return decodeClientFrame(bytes);
  } catch {
    return undefined;
  }
}

function createState(options: Required<NatsGatewayOptions>, nowMs: number): State {
  return {
    name: `nats/${options.lane}`,
    options,
    inboxPrefix: `zooid.${options.ensemble}.client.`,
    connections: new Map(),
    byInbox: new Map(),
    bySession: new Map(),
    wrongPasswords: 0,
    nextConnection: 1,
    nextTreeStream: 1,
    openings: { underWay: undefined, waiting: new Map() },
    dirty: new Set(),
    offenders: new Map(),
    contact: newContact(),
    held: new Set(),
    serving: false,
    epoch: EPOCH_NONE,
    impossible: new Set(),
    hasServed: false,
    leaderlessSinceMs: nowMs,
    admission: "all",
    zxid: ZXID_NONE,
    sessionsFull: false,
    requestBytes: 0,
    outputBytes: 0,
    received: 0,
    sent: 0,
    latency: { count: 0, totalMs: 0, minMs: 0, maxMs: 0 },
    reportDueMs: nowMs,
  };
}
