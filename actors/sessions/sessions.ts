/**
 * The sessions actor: which sessions have expired. Every node's knows all sessions from the tree; only the leader's counts
 * time, and only the log decides: it proposes expireSession. A new leader gives every session its full timeout again.
 * Source: ZooKeeper's SessionTrackerImpl and ExpiryQueue (deadlines are rounded up to a tick).
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import type { SessionId } from "../../protocol/ids.ts";
import { BATCH_OPERATIONS_MAX } from "../../protocol/limits.ts";
import type { Operation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { SessionChanges } from "../tree/messages.ts";
import type { SessionsMessage } from "./messages.ts";

export type SessionsOptions = {
  /** Between two looks at the deadlines; a session lives at most this much longer. Default 500. */
  readonly tickMs?: number;
};

const TICK_MS = 500;

type Tracked = { readonly timeoutMs: number; readonly attachedAt: Zxid; deadlineMs: number };

export type SessionsState = {
  readonly options: SessionsOptions;
  leading: boolean;
  lastTickMs: number;
  readonly sessions: Map<SessionId, Tracked>;
};

export function sessionsActor(options: SessionsOptions): Actor<SessionsState, SessionsMessage> {
  return {
    name: "sessions",
    // Its state comes from the tree once, so a new start would forget sessions.
    supervision: "stopNode",
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => ({
      state: { options, leading: false, lastTickMs: 0, sessions: new Map() },
      effects: [],
    }),
    receive,
  };
}

function receive(
  state: SessionsState,
  message: SessionsMessage,
  context: Context,
): Step<SessionsState> {
  switch (message.kind) {
    case "leadership":
      // What could not be ended is not counted either, and begins anew when there is room.
      return leadership(state, message.role === "leading" && message.admission !== "none", context);
    case "sessionChanges":
      return changes(state, message, context);
    case "touched":
      for (const id of message.sessions) {
        const session = state.sessions.get(id);
        if (session !== undefined) session.deadlineMs = context.nowMs + session.timeoutMs;
      }
      return { state, effects: [] };
    default:
      return expire(state, context);
  }
}

function leadership(state: SessionsState, leading: boolean, context: Context): Step<SessionsState> {
  if (leading === state.leading) return { state, effects: [] };
  state.leading = leading;
  if (!leading) return { state, effects: [{ kind: "stopTimer", timer: "tick" }] };
  state.lastTickMs = context.nowMs;
  for (const session of state.sessions.values()) {
    session.deadlineMs = context.nowMs + session.timeoutMs;
  }
  return { state, effects: [nextTick(state)] };
}

function changes(
  state: SessionsState,
  message: SessionChanges,
  context: Context,
): Step<SessionsState> {
  for (const { session, timeoutMs, attachedAt } of message.attached) {
    state.sessions.set(session, {
      timeoutMs,
      attachedAt,
      deadlineMs: context.nowMs + timeoutMs,
    });
  }
  for (const session of message.closed) state.sessions.delete(session);
  return { state, effects: [] };
}

function expire(state: SessionsState, context: Context): Step<SessionsState> {
  if (!state.leading) return { state, effects: [] };
  forgivePause(state, context);
  const effects: Effect[] = [nextTick(state)];
  const expired: Operation[] = [];
  for (const [session, tracked] of state.sessions) {
    if (context.nowMs < tracked.deadlineMs) continue;
    if (expired.length === BATCH_OPERATIONS_MAX) break;
    // Proposed again a timeout later if this one is lost with the leader's epoch.
    tracked.deadlineMs = context.nowMs + tracked.timeoutMs;
    expired.push({ kind: "expireSession", session, attachedAt: tracked.attachedAt });
    effects.push({
      kind: "log",
      level: "info",
      event: "session expires",
      detail: { session: `0x${session.toString(16)}`, timeoutMs: tracked.timeoutMs },
    });
  }
  if (expired.length > 0) {
    // Encoded bytes may be a view into a larger buffer; a message owns its bytes.
    const payload = new Uint8Array(encodeBatch(expired));
    effects.push(tell("log-sync", { kind: "propose", payload, count: expired.length }));
  }
  return { state, effects };
}

/**
 * A tick that comes late means that this process stood still, and touches may lie unread behind it: no session pays for
 * that. A leader that stood still for long has a successor, and its proposals come to nothing.
 */
function forgivePause(state: SessionsState, context: Context): void {
  const tickMs = state.options.tickMs ?? TICK_MS;
  const lateMs = context.nowMs - state.lastTickMs - tickMs;
  state.lastTickMs = context.nowMs;
  if (lateMs <= tickMs) return;
  for (const session of state.sessions.values()) session.deadlineMs += lateMs;
}

function nextTick(state: SessionsState): Effect {
  return { kind: "startTimer", timer: "tick", afterMs: state.options.tickMs ?? TICK_MS };
}
