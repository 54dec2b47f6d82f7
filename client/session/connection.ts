/**
 * A session's connection to a gateway: it is opened at any of them, kept alive by pings, and given up when the gateway is silent or a
 * frame is missing. Another one follows. Requests wait meanwhile; those that were under way are sent again, in their order and with their
 * numbers, by which a write that was done is not done again.
 */
import { NATIVE_TAKEN_BYTES } from "../../protocol/limits.ts";
import {
  type ClientItem,
  decodeGatewayFrame,
  encodeClientFrame,
  type Frame,
  type GatewayItem,
  NATIVE_VERSION,
} from "../../protocol/native.ts";
import { gatewaySubject, laneSubject } from "../../protocol/subjects.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { waitAfterLoss } from "./backoff.ts";
import { end } from "./end.ts";
import type { ChannelEvent } from "./messages.ts";
import { answerRequest, loseConnection, takeAnswered, takeRequests } from "./requests.ts";
import { flushSoon, type OpenLink, sendSoon, type State, type Turn } from "./state.ts";
import { receiveStreamItem, reopenStreams, type StreamTurn } from "./streams.ts";

/** How often a session looks whether something is due. */
const TICK_MS = 50;
/** An attempt to open a connection is given up after this time, or after a third of the session timeout if that is shorter. */
const OPEN_TIMEOUT_MS = 3_000;
/** The client waits about this long before it asks again when no gateway answered, or one that knows no leader. */
const RETRY_DELAY_MS = 150;
/** A gateway of a node that stops may be asked for a session until all NATS servers know that it takes no more clients. */
const LEAVING_DELAY_MS = 20;
/**
 * While requests or streams are under way, a ping is sent after this much silence: the number of the answering frame shows whether
 * a frame was lost.
 */
const PING_BUSY_MS = 500;
/** The share of its timeout for which a session is certainly valid after something was sent that is answered. */
const VALID_SHARE = 0.6;
/** How many items that are not requests go into one frame. */
const FRAME_ITEMS_MAX = 64;

export function streamTurn(turn: Turn): StreamTurn {
  const { state, effects } = turn;
  return { streams: state.streams, effects, say: (item) => sendSoon(turn, item) };
}

/** Takes what the channel says. */
export function happened(turn: Turn, event: ChannelEvent): void {
  const { state } = turn;
  switch (event.kind) {
    case "received":
      if (event.connection === state.connection) receiveFrame(turn, event.bytes);
      return;
    case "noResponders":
      if (event.connection !== state.connection) return;
      state.lastProblem = "no node of this ensemble is there";
      lost(turn, "the node is gone", state.link.kind === "opening" ? RETRY_DELAY_MS : 0);
      return;
    case "down":
      // The NATS library itself waits before it reconnects, so no further delay is needed here.
      state.up = false;
      lost(turn, "the NATS server is gone", 0);
      return;
    case "up":
      state.up = true;
      openIfDue(turn);
      return;
    case "refused":
      end(turn, { kind: "refused", problem: event.problem });
      return;
    default:
      event satisfies never;
  }
}

export function openIfDue(turn: Turn): void {
  const { state, nowMs } = turn;
  const { link, over, up } = state;
  if (over === undefined && up && link.kind === "none" && nowMs >= link.retryAtMs) open(turn);
}

/** Looks whether the connection is to be opened, given up, or kept alive. */
export function tick(turn: Turn): void {
  const { state, nowMs } = turn;
  const { link, timeoutMs } = state;
  if (link.kind === "none") {
    openIfDue(turn);
  } else if (link.kind === "opening") {
    const limitMs = Math.min(OPEN_TIMEOUT_MS, timeoutMs / 3);
    if (nowMs - link.sinceMs > limitMs) lost(turn, "no gateway answered in time", RETRY_DELAY_MS);
  } else if (nowMs - link.receivedAtMs > (timeoutMs * 2) / 3) {
    lost(turn, "the node is silent", 0);
  } else {
    keepAlive(turn, link);
  }
  if (state.over === undefined) startTicking(turn);
}

export function startTicking({ effects }: Turn): void {
  effects.push({ kind: "startTimer", timer: "tick", delayMs: TICK_MS });
}

/** Sends what the caller has asked for meanwhile. */
export function flush(turn: Turn): void {
  const { state } = turn;
  state.flushing = false;
  if (state.link.kind !== "open" || !state.up) return;
  const { items } = state;
  state.items = [];
  // These do not share a frame with requests, one of which may fill a NATS message by itself.
  for (let start = 0; start < items.length; start += FRAME_ITEMS_MAX) {
    send(turn, state.link, items.slice(start, start + FRAME_ITEMS_MAX));
  }
  for (;;) {
    const requests = takeRequests(state.requests);
    if (requests.length === 0) return;
    send(turn, state.link, [...takeAnswered(state.requests), ...requests]);
  }
}

function keepAlive(turn: Turn, link: OpenLink): void {
  const { state, nowMs } = turn;
  const busy = state.requests.underWay.size > 0 || state.streams.byNumber.size > 0;
  const unansweredMs = nowMs - Math.max(link.receivedAtMs, link.pingedAtMs);
  // The next tick would be too late: the node counts on hearing of the session within a third of its timeout. Requests would do for
  // that, but only the answer to a ping tells how long the session is valid.
  const due = nowMs + TICK_MS - link.pingedAtMs > state.timeoutMs / 3;
  if (due || (busy && unansweredMs >= PING_BUSY_MS)) {
    link.pingedAtMs = nowMs;
    link.pings.push(nowMs);
    for (const item of takeAnswered(state.requests)) sendSoon(turn, item);
    sendSoon(turn, { kind: "ping" });
  }
}

function open({ state, nowMs, effects }: Turn): void {
  const { ensemble, sessionTimeoutMs } = state.options;
  state.connection += 1;
  state.sentSequence = 0;
  state.receivedSequence = 0;
  state.unacknowledgedBytes = 0;
  state.link = { kind: "opening", sinceMs: nowMs };
  const item: ClientItem = {
    kind: "open",
    version: NATIVE_VERSION,
    session: state.session,
    password: state.password,
    timeoutMs: sessionTimeoutMs,
  };
  const bytes = encodeClientFrame({ sequence: 0, items: [item] });
  const { connection } = state;
  effects.push({ kind: "send", subject: gatewaySubject(ensemble), connection, bytes });
}

function send(turn: Turn, link: OpenLink, items: readonly ClientItem[]): void {
  const { state, effects } = turn;
  const { connection } = state;
  state.sentSequence += 1;
  const bytes = encodeClientFrame({ sequence: state.sentSequence, items });
  effects.push({ kind: "send", subject: link.subject, connection, bytes });
}

function receiveFrame(turn: Turn, bytes: Uint8Array): void {
  const { state, nowMs } = turn;
  const frame = decoded(bytes);
  if (frame === undefined) return lost(turn, "a frame was not understood", 0);
  if (frame.sequence !== 0) {
    if (frame.sequence !== state.receivedSequence + 1) return lost(turn, "a message was lost", 0);
    state.receivedSequence = frame.sequence;
    state.unacknowledgedBytes += bytes.length;
  }
  if (state.link.kind === "open") state.link.receivedAtMs = nowMs;
  const { connection } = state;
  for (const item of frame.items) {
    receiveItem(turn, item);
    // The item may have ended the connection.
    if (state.connection !== connection || state.over !== undefined) return;
  }
  if (state.unacknowledgedBytes >= NATIVE_TAKEN_BYTES) {
    state.unacknowledgedBytes = 0;
    sendSoon(turn, { kind: "taken", sequence: state.receivedSequence });
  }
  flushSoon(turn);
}

function receiveItem(turn: Turn, item: GatewayItem): void {
  const { state, effects } = turn;
  switch (item.kind) {
    case "opened":
      opened(turn, item);
      return;
    case "pong":
      saw(turn, item.zxid);
      answered(state);
      return;
    case "result":
      saw(turn, item.zxid);
      answerRequest(state.requests, item, effects);
      return;
    case "changes":
      saw(turn, item.through);
      receiveStreamItem(streamTurn(turn), item);
      return;
    case "compacted":
    case "streamRefused":
      receiveStreamItem(streamTurn(turn), item);
      return;
    case "ended":
      ended(turn, item);
      return;
    default:
      item satisfies never;
  }
}

/** Pings are answered in their order. */
function answered(state: State): void {
  const sentAtMs = state.link.kind === "open" ? state.link.pings.shift() : undefined;
  if (sentAtMs !== undefined) validFrom(state, sentAtMs);
}

/**
 * What was answered had been sent at `sentAtMs`. The node has answered within a third of the timeout after a moment from which the leader
 * counts (`actors/gateway/contact.ts`), so two thirds are left at least; a tenth of that is kept back for clocks that run
 * differently.
 */
function validFrom(state: State, sentAtMs: number): void {
  state.validUntilMs = Math.max(state.validUntilMs, sentAtMs + state.timeoutMs * VALID_SHARE);
}

function saw({ state, effects }: Turn, zxid: Zxid): void {
  if (zxid <= state.lastZxid) return;
  state.lastZxid = zxid;
  effects.push({ kind: "saw", zxid });
}

function opened(turn: Turn, item: Extract<GatewayItem, { readonly kind: "opened" }>): void {
  const { state, nowMs, effects } = turn;
  const { session, password, timeoutMs, server, lane, zxid } = item;
  const askedAtMs = state.link.kind === "opening" ? state.link.sinceMs : -Infinity;
  state.session = session;
  state.password = password;
  state.timeoutMs = timeoutMs;
  state.link = {
    kind: "open",
    subject: laneSubject(state.options.ensemble, server, lane),
    openedAtMs: nowMs,
    receivedAtMs: nowMs,
    pingedAtMs: nowMs,
    pings: [],
  };
  validFrom(state, askedAtMs);
  saw(turn, zxid);
  const { proofs = [] } = state.options;
  const proving = proofs.map((data): ClientItem => ({ kind: "auth", data }));
  state.items = [...proving, ...reopenStreams(state.streams)];
  effects.push({
    kind: "stateChanged",
    state: { kind: "connected", session, server, lane, timeoutMs },
  });
  flushSoon(turn);
}

function ended(turn: Turn, { reason }: Extract<GatewayItem, { readonly kind: "ended" }>): void {
  const { state } = turn;
  if (reason === "expired") return end(turn, { kind: "expired" });
  if (reason === "version") {
    const message = `this client speaks version ${NATIVE_VERSION} of the protocol and the ensemble does not`;
    return end(turn, { kind: "unreachable", message });
  }
  if (reason === "authFailed") {
    const message =
      "the ensemble does not take these identities: it has no digests, or they are too many or too long";
    return end(turn, { kind: "unreachable", message });
  }
  // Nobody has failed, and the next node serves already: what came before counts for no wait.
  if (reason === "stopping") {
    const delayMs = state.link.kind === "open" ? 0 : LEAVING_DELAY_MS;
    return lost(turn, "the node stops", delayMs, "orderly");
  }
  state.lastProblem = reason === "noLeader" ? "the ensemble has no leader" : reason;
  const atOnce = state.link.kind === "open" && reason !== "noLeader";
  return lost(turn, `ended by the node: ${reason}`, atOnce ? 0 : RETRY_DELAY_MS);
}

/**
 * Notes that the connection is lost. The next attempt comes after about `delayMs`, or when NATS is connected again if that is
 * later.
 */
function lost(
  turn: Turn,
  reason: string,
  delayMs: number,
  how: "failed" | "orderly" = "failed",
): void {
  const { state, nowMs, random, effects } = turn;
  const { link, backoff } = state;
  if (state.over !== undefined || link.kind === "none") return;
  const openMs = link.kind === "open" ? nowMs - link.openedAtMs : undefined;
  let waitMs = delayMs * (0.5 + random());
  if (openMs !== undefined && state.up && how === "failed") {
    const { timeoutMs: sessionTimeoutMs } = state;
    waitMs = Math.max(waitMs, waitAfterLoss(backoff, { openMs, sessionTimeoutMs, random }));
  }
  state.connection += 1;
  state.items = [];
  state.link = { kind: "none", retryAtMs: nowMs + waitMs };
  if (openMs !== undefined) {
    state.lastProblem = reason;
    loseConnection(state.requests);
    const { failures } = backoff;
    effects.push({ kind: "stateChanged", state: { kind: "reconnecting", reason, failures } });
  }
  openIfDue(turn);
}

function decoded(bytes: Uint8Array): Frame<GatewayItem> | undefined {
  try {
    return decodeGatewayFrame(bytes);
  } catch {
    return undefined;
  }
}
