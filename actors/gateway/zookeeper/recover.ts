/**
 * After a failure the state may say that something is under way which the turn that failed asked for in vain. Timers and closings are
 * asked for again. A connection that may have lost an answer is closed, since its client would take the next answer for the lost one.
 */
import { logEvent } from "../../log-event.ts";
import { tellAgain } from "../contact.ts";
import { endAll, isAboutSessions, type Protocol } from "../gateway.ts";
import { forgetInTree } from "../lane.ts";
import type { ZooKeeperGatewayMessage, ZooKeeperTimer } from "../messages.ts";
import { forgetConnection, refuse } from "./connections.ts";
import type { Connection, Turn } from "./state.ts";
import { startTokenTimer } from "./tokens.ts";
import { startTouchTimer } from "./touches.ts";

const RETRY_MS = 1000;

/** The failure costs the connection whose message it was, or all of them, where it may have concerned each. */
export function recover(
  protocol: Protocol<Connection, Turn>,
  turn: Turn,
  message: ZooKeeperGatewayMessage,
  error: unknown,
): void {
  const { state, effects } = turn;
  // The writer may hold half a reply.
  state.writer.take();
  closeAgain(turn);
  const number = connectionOf(message);
  const connection = number === undefined ? undefined : state.connections.get(number);
  if (connection === undefined) {
    const detail = { message: message.kind, error: String(error) };
    effects.push(logEvent("connectionFailed", detail));
    // If nobody closed the socket it would stay open and never be answered, and its watches would stay.
    if (number !== undefined) closeSocket(turn, number);
  } else if (message.kind === "closed") {
    forgetConnection(turn, connection);
  } else {
    refuse(turn, connection, `a failure: ${String(error)}`);
  }
  for (const connection of state.unthrottled)
    refuse(turn, connection, `a failure: ${String(error)}`);
  if (isAboutSessions(message) || isAboutAnswers(message))
    endAll(protocol, turn, "closedAfterFailure");
  if (message.kind === "timer" && message.timer === "touch") tellAgain(state.contact);
  startTimers(turn);
  if (message.kind === "timer" && !isStarted(turn, message.timer)) {
    effects.push({ kind: "startTimer", timer: message.timer, afterMs: RETRY_MS });
  }
  if (state.asked.length > 0 || state.holding.size > 0) effects.push({ kind: "endOfTurn" });
}

/** Answers that were withheld, and events that were held, leave with these, and may be lost. */
function isAboutAnswers({ kind }: ZooKeeperGatewayMessage): boolean {
  return kind === "leadership" || kind === "leaderHeard" || kind === "endOfTurn";
}

function closeAgain(turn: Turn): void {
  for (const { number, phase } of turn.state.connections.values()) {
    if (phase.kind === "ended") closeSocket(turn, number);
  }
}

function closeSocket(turn: Turn, number: number): void {
  turn.effects.push({ kind: "close", connection: number });
  forgetInTree(turn, { number });
}

/** Starts the timers that run as far as the state knows. */
function startTimers(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const { due, handshakes, notes } = state;
  const start = (timer: "grace" | "withheld" | "handshake" | "notes", dueMs: number): void => {
    effects.push({ kind: "startTimer", timer, afterMs: Math.max(1, Math.ceil(dueMs - nowMs)) });
  };
  if (due.grace !== undefined) start("grace", due.grace);
  if (due.withheld !== undefined) start("withheld", due.withheld);
  if (handshakes.size > 0) start("handshake", nowMs + RETRY_MS);
  if (notes.size > 0) start("notes", nowMs + RETRY_MS);
  if (state.tokens.waiting.size > 0) startTokenTimer(turn);
  state.touchTimerRuns = false;
  startTouchTimer(turn);
}

/** Whether `startTimers` has started it, if it has to run at all. */
function isStarted({ state }: Turn, timer: ZooKeeperTimer): boolean {
  if (timer === "grace" || timer === "withheld") return state.due[timer] !== undefined;
  return timer === "touch" || timer === "tokens";
}

function connectionOf(message: ZooKeeperGatewayMessage): number | undefined {
  if ("connection" in message) return message.connection;
  if ("client" in message) return message.client;
  return undefined;
}
