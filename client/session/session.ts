/**
 * A client's session, which outlives its connections: an actor, so a state and one function that decides. It has no clock, no timers,
 * no NATS and no callbacks; `client/driver.ts` hands it time, chance and messages and performs its effects, and the simulator does so
 * with its own.
 */
import { flush, happened, openIfDue, startTicking, streamTurn, tick } from "./connection.ts";
import { end } from "./end.ts";
import type { SessionEffect, SessionMessage, SessionOptions, TimerName } from "./messages.ts";
import { addRequest, cancelRequest, expireRequests, isPending } from "./requests.ts";
import { type Context, flushSoon, initialState, type State, type Turn } from "./state.ts";
import { consumed, subscribe, unsubscribe } from "./streams.ts";

const CLOSE_TIMEOUT_MS = 2_000;

/** Begins a session. `up`: there is a connection to NATS already. */
export function start(
  { options, up }: { readonly options: SessionOptions; readonly up: boolean },
  context: Context,
): { readonly state: State; readonly effects: readonly SessionEffect[] } {
  const turn: Turn = { ...context, state: initialState(options, up), effects: [] };
  openIfDue(turn);
  startTicking(turn);
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
  if (closing !== undefined && !isPending(state.requests, closing)) end(turn, { kind: "closed" });
  return turn.effects;
}

function take(turn: Turn, message: SessionMessage): void {
  const { state, nowMs, effects } = turn;
  const { over } = state;
  switch (message.kind) {
    case "request":
      if (over !== undefined) {
        const outcome = { kind: "failed", failure: over, maybeApplied: "no" } as const;
        effects.push({ kind: "settle", id: message.id, outcome });
        return;
      }
      addRequest(state.requests, message, nowMs);
      flushSoon(turn);
      return;
    case "cancel":
      cancelRequest(state.requests, message.id, effects);
      return;
    case "subscribe":
      if (over !== undefined) {
        const subscriptions = [message.subscription];
        const last = { kind: "failed", failure: over } as const;
        effects.push({ kind: "endSubscriptions", subscriptions, end: last });
        return;
      }
      subscribe(streamTurn(turn), message);
      return;
    case "unsubscribe":
      unsubscribe(streamTurn(turn), message.subscription);
      return;
    case "consumed":
      consumed(streamTurn(turn), message);
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
    default:
      happened(turn, message);
  }
}

function timer(turn: Turn, name: TimerName): void {
  const { state, nowMs, effects } = turn;
  if (state.over !== undefined) return;
  if (name === "close") {
    end(turn, { kind: "closed" });
    return;
  }
  expireRequests(state.requests, nowMs, effects);
  tick(turn);
}

/** Without a connection the session expires later. With one the gateway ends it at once; without an answer it expires, too. */
function close(turn: Turn, id: number): void {
  const { state, nowMs, effects } = turn;
  if (state.closing !== undefined) return;
  if (state.link.kind !== "open") {
    end(turn, { kind: "closed" });
    return;
  }
  state.closing = id;
  addRequest(
    state.requests,
    { id, request: { kind: "write", operation: { kind: "closeSession" } } },
    nowMs,
  );
  effects.push({ kind: "startTimer", timer: "close", delayMs: CLOSE_TIMEOUT_MS });
  flushSoon(turn);
}
