/**
 * A client's session over ZooKeeper's protocol, which outlives its connections: an actor, so a state and one function that decides. It has
 * no clock, no timers, no sockets and no callbacks; `client/zookeeper/driver.ts` hands it time, chance and messages and performs its
 * effects.
 */
import { Code } from "../../../protocol/codes.ts";
import { addCall, callAnswered, expireCalls } from "./calls.ts";
import { happened, openIfDue, tend, tendAtMs } from "./connection.ts";
import { end } from "./end.ts";
import { loginSolved } from "./login.ts";
import type { TimerName } from "../../session/messages.ts";
import type { SessionEffect, SessionMessage, SessionOptions } from "./messages.ts";
import { receiveBytes } from "./receive.ts";
import { takeFrames } from "./requests.ts";
import { fail, markSent } from "./settling.ts";
import { type Context, flushSoon, initialState, type State, type Turn } from "./state.ts";
import {
  consumed,
  flushStreams,
  streamAnswered,
  subscribe,
  sweepStreams,
  tellProgress,
  unsubscribe,
} from "./streams/streams.ts";

const CLOSE_TIMEOUT_MS = 2_000;
/**
 * A server may answer for a third of the session timeout without its leader, which ends the session a full timeout after it has heard of it:
 * two thirds are left, less what clocks may differ by.
 */
const VALID_SHARE = 0.6;

export function start(
  options: SessionOptions,
  context: Context,
): { readonly state: State; readonly effects: readonly SessionEffect[] } {
  const turn: Turn = { ...context, state: initialState(options, context.random), effects: [] };
  openIfDue(turn);
  wakeInTime(turn);
  return turn;
}

/** Takes one message. The effects are to be performed in order. */
export function receive(
  state: State,
  message: SessionMessage,
  context: Context,
): readonly SessionEffect[] {
  const turn: Turn = { ...context, state, effects: [] };
  take(turn, message);
  const { closing } = state;
  if (closing !== undefined && !state.requests.calls.has(closing)) end(turn, { kind: "closed" });
  wakeInTime(turn);
  return turn.effects;
}

/** Until when the ensemble has certainly not ended the session, counted from when a frame was sent that has an answer. */
export function validUntilMs({ confirmedAtMs, timeoutMs }: State): number {
  return confirmedAtMs + timeoutMs * VALID_SHARE;
}

function take(turn: Turn, message: SessionMessage): void {
  const { state, effects } = turn;
  const { over, link, connection } = state;
  switch (message.kind) {
    case "request":
      addCall(turn, message);
      return;
    case "cancel": {
      const call = state.requests.calls.get(message.id);
      if (call !== undefined) fail(turn, call, { kind: "cancelled" });
      return;
    }
    case "subscribe":
      if (over === undefined) return subscribe(turn, message);
      effects.push({
        kind: "endSubscriptions",
        subscriptions: [message.subscription],
        end: { kind: "failed", failure: over },
      });
      return;
    case "unsubscribe":
      unsubscribe(turn, message.subscription);
      return;
    case "consumed":
      consumed(turn, message);
      return;
    case "timer":
      timer(turn, message.timer);
      return;
    case "flush":
      flush(turn);
      return;
    case "close":
      close(turn, message.id);
      return;
    case "received":
      if (message.connection === connection) receiveBytes(turn, message.bytes);
      return;
    case "solved":
      if (message.connection === connection && link.kind === "open") {
        loginSolved(turn, link, message.step);
      }
      return;
    default:
      happened(turn, message);
  }
}

function timer(turn: Turn, name: TimerName): void {
  const { state } = turn;
  if (state.over !== undefined) return;
  if (name === "close") return end(turn, { kind: "closed" });
  state.tickAtMs = Infinity;
  expireCalls(turn);
  sweepStreams(turn);
  tellProgress(turn);
  tend(turn);
}

/** The timer runs when something is due. One that runs too early is left as it is: it is cheaper than another one. */
function wakeInTime({ state, nowMs, effects }: Turn): void {
  if (state.over !== undefined) return;
  const { requests, streams } = state;
  const dueAtMs = Math.min(tendAtMs(state), requests.nextDeadlineMs, streams.progressAtMs);
  if (dueAtMs >= state.tickAtMs) return;
  state.tickAtMs = dueAtMs;
  // Timers may run a little early, by the clock that is looked at.
  effects.push({ kind: "startTimer", timer: "tick", delayMs: Math.max(1, dueAtMs - nowMs) });
}

/** Sends what was asked for meanwhile, all of it in one write. */
function flush(turn: Turn): void {
  const { state, nowMs, effects } = turn;
  const { link, requests, connection } = state;
  // What streams ask for goes out with the rest.
  flushStreams(turn);
  state.flushing = false;
  if (link.kind !== "open" || !link.ready) return;
  const { frames, sent, refused } = takeFrames(requests, nowMs);
  if (frames.length > 0) {
    for (const pending of sent) markSent(pending);
    effects.push({ kind: "send", connection, frames });
    link.sentAtMs = nowMs;
  }
  const reply = { kind: "error", code: Code.unimplemented } as const;
  for (const pending of refused) {
    if (pending.purpose.kind === "call") callAnswered(turn, pending, reply, state.lastZxid);
    else streamAnswered(turn, pending.purpose.asked, reply, state.lastZxid);
  }
  if (refused.length > 0) flushSoon(turn);
}

/** Without a connection the session expires later. With one the server ends it at once; without an answer it expires, too. */
function close(turn: Turn, id: number): void {
  const { state, effects } = turn;
  if (state.over !== undefined || state.closing !== undefined) return;
  if (state.link.kind !== "open") return end(turn, { kind: "closed" });
  state.closing = id;
  addCall(turn, { id, request: { kind: "write", operation: { kind: "closeSession" } } });
  effects.push({ kind: "startTimer", timer: "close", delayMs: CLOSE_TIMEOUT_MS });
  flush(turn);
}
