/** How requests come into the queue, and how calls are settled. */
import { type Ask, changesSomething, encodeAsk } from "./asks.ts";
import type { Call, Done } from "./call.ts";
import type { Failure, Outcome } from "../../session/messages.ts";
import type { Pending, Purpose } from "./requests.ts";
import { flushSoon, type Turn } from "./state.ts";

/** `first`: before all that waits. */
export function ask(turn: Turn, asked: Ask, purpose: Purpose, place: "first" | "last"): void {
  const { requests, writer } = turn.state;
  const frame = encodeAsk(writer, asked);
  const pending = { purpose, ask: asked, frame, sentAtMs: 0, isProbe: false };
  if (place === "first") requests.waiting.unshift(pending);
  else requests.waiting.push(pending);
  flushSoon(turn);
}

/** The call is under way from now on. */
export function markSent({ purpose, ask: asked }: Pending): void {
  if (purpose.kind === "call" && changesSomething(asked)) purpose.call.maybeApplied = "unknown";
}

export function done(turn: Turn, call: Call, answer: Done): void {
  settle(turn, call, { kind: "answered", answer });
}

export function fail(turn: Turn, call: Call, failure: Failure): void {
  const maybeApplied = call.known === undefined ? call.maybeApplied : "yes";
  settle(turn, call, { kind: "failed", failure, maybeApplied });
}

function settle({ state, effects }: Turn, call: Call, outcome: Outcome): void {
  if (call.settled) return;
  call.settled = true;
  state.requests.calls.delete(call.id);
  effects.push({ kind: "settle", id: call.id, outcome });
}

/** The session has ended, and with it every call. */
export function failCalls(turn: Turn, failure: Failure): void {
  for (const call of turn.state.requests.calls.values()) {
    if (call.known === undefined) fail(turn, call, failure);
    else done(turn, call, call.known);
  }
}
