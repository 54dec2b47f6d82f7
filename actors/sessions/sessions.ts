/**
 * The sessions actor finds out which sessions have expired. The actor of every node knows all sessions from the tree, but only the
 * leader's counts their time. It proposes `expireSession`, and a session has ended when the log holds that operation. A new leader
 * gives every session its full timeout again. Source: ZooKeeper's SessionTrackerImpl and ExpiryQueue (deadlines are rounded up to
 * a tick).
 */
import { logEvent } from "../log-event.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { unreachable } from "../../protocol/assert.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import { formatSession, type SessionId } from "../../protocol/ids.ts";
import { BATCH_OPERATIONS_MAX } from "../../protocol/limits.ts";
import type { Operation } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { SessionsQuestion } from "../admin/messages.ts";
import { tell } from "../inboxes.ts";
import { Listing, wholeSecondMs } from "../listing.ts";
import type { SessionChanges } from "../tree/messages.ts";
import type { SessionsMessage, SessionsTimer } from "./messages.ts";

export type SessionsOptions = {
  /** Milliseconds between two checks of the deadlines; a session lives at most this much longer than its timeout. Default 500. */
  readonly tickMs?: number;
};

const TICK_MS = 500;

type Tracked = { readonly timeoutMs: number; readonly attachedAt: Zxid; deadlineMs: number };

export type SessionsState = {
  readonly options: SessionsOptions;
  /** Whether this node leads and can log the end of a session: only then timeouts run. */
  leading: boolean;
  lastTickMs: number;
  readonly sessions: Map<SessionId, Tracked>;
};

export type SessionsEffect = LocalEffect<SessionsTimer>;
type Turn = TurnOf<SessionsState, SessionsEffect>;

export function sessionsActor(
  options: SessionsOptions,
): Actor<SessionsState, SessionsMessage, SessionsEffect> {
  return {
    name: "sessions",
    // The tree emits each change of a session once, so a restarted actor would have forgotten the sessions.
    supervision: "stopNode",
    mailbox: { capacity: 100_000, whenFull: "stopNode" },
    start: () => ({ options, leading: false, lastTickMs: 0, sessions: new Map() }),
    receive,
  };
}

function receive(turn: Turn, message: SessionsMessage): void {
  switch (message.kind) {
    case "leadership":
      // While an expiry cannot be logged for want of disk space, no timeout runs; they all begin again when there is space.
      countTime(turn, message.role === "leading" && message.admission !== "none");
      return;
    case "sessionChanges":
      takeChanges(turn, message);
      return;
    case "touched":
      for (const id of message.sessions) {
        const session = turn.state.sessions.get(id);
        if (session !== undefined) session.deadlineMs = turn.nowMs + session.timeoutMs;
      }
      return;
    case "listSessions":
      listSessions(turn, message);
      return;
    case "timer":
      expire(turn);
      return;
    default:
      unreachable(message);
  }
}

function countTime(turn: Turn, leading: boolean): void {
  const { state, effects, nowMs } = turn;
  if (leading === state.leading) return;
  state.leading = leading;
  if (!leading) {
    effects.push({ kind: "stopTimer", timer: "tick" });
    return;
  }
  state.lastTickMs = nowMs;
  for (const session of state.sessions.values()) session.deadlineMs = nowMs + session.timeoutMs;
  startTick(turn);
}

function takeChanges({ state, nowMs }: Turn, { attached, closed }: SessionChanges): void {
  for (const { session, timeoutMs, attachedAt } of attached) {
    state.sessions.set(session, { timeoutMs, attachedAt, deadlineMs: nowMs + timeoutMs });
  }
  for (const session of closed) state.sessions.delete(session);
}

function expire(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  if (!state.leading) return;
  forgivePause(turn);
  startTick(turn);
  const expired: Operation[] = [];
  for (const [session, tracked] of state.sessions) {
    if (nowMs < tracked.deadlineMs) continue;
    if (expired.length === BATCH_OPERATIONS_MAX) break;
    const { timeoutMs, attachedAt } = tracked;
    // If this proposal is lost, the session is proposed again one timeout later.
    tracked.deadlineMs = nowMs + timeoutMs;
    expired.push({ kind: "expireSession", session, attachedAt });
    const detail = { session: formatSession(session), timeoutMs };
    effects.push(logEvent("sessionExpires", detail));
  }
  if (expired.length === 0) return;
  const payload = encodeBatch(expired);
  effects.push(tell("log-sync", { kind: "propose", payload, count: expired.length }));
}

/**
 * A late tick means that this process stood still, and the touches that arrived meanwhile may be in the mailbox behind this message.
 * So every deadline is moved by the delay. A leader that stood still for long has a successor, which keeps its proposals from being
 * committed.
 */
function forgivePause({ state, nowMs }: Turn): void {
  const { tickMs = TICK_MS } = state.options;
  const lateMs = nowMs - state.lastTickMs - tickMs;
  state.lastTickMs = nowMs;
  if (lateMs <= tickMs) return;
  for (const session of state.sessions.values()) session.deadlineMs += lateMs;
}

/** For the four-letter words `dump` and `sess`. Only a leader knows when sessions end. */
function listSessions(
  { state, effects, nowMs, wallMs }: Turn,
  { question, word, bytesMax }: SessionsQuestion,
): void {
  const listing = new Listing(bytesMax);
  const { sessions, leading } = state;
  const listed = word === "dump" || leading ? sessions : new Map<SessionId, Tracked>();
  let looked = 0;
  for (const [session, { timeoutMs, deadlineMs }] of listed) {
    if (listing.isFull) break;
    looked += 1;
    const id = formatSession(session);
    if (word === "sess") listing.add("", JSON.stringify([id, Math.round(deadlineMs - nowMs)]));
    else if (leading) listing.add(wholeSecondMs(wallMs + deadlineMs - nowMs), id);
    else listing.add("", `${id}\t${timeoutMs}ms`);
  }
  listing.omit(listed.size - looked);
  effects.push(tell("admin", { kind: "part", question, from: "sessions", ...listing.content }));
}

function startTick({ state, effects }: Turn): void {
  const { tickMs = TICK_MS } = state.options;
  effects.push({ kind: "startTimer", timer: "tick", afterMs: tickMs });
}
