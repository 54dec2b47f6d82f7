/**
 * The connections of a node that is about to stop. Their clients are to go to other nodes without an error, and this protocol cannot tell
 * them to. So a connection is closed right behind an answer with which nothing of it waits any more: its client, which has just had that
 * answer, has nothing on its way. Those of which nothing comes for a while are closed then; from those that are never without a request
 * nothing more is taken: what was taken is answered, then they are closed.
 */
import { enterClosing, servedBy } from "../attachment.ts";
import { tell } from "../../inboxes.ts";
import { logEvent } from "../../log-event.ts";
import { close } from "./connections.ts";
import type { Connection, Turn } from "./state.ts";

/** Milliseconds for which a client may ask once more. */
const SERVED_MS = 300;
/** Milliseconds after which a connection is closed although not all of its requests are answered. */
const ANSWERED_MS = 1000;
const LOOK_MS = 20;

export function retire(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  if (state.retiringSinceMs !== undefined) return;
  state.retiringSinceMs = nowMs;
  effects.push(logEvent("retiring", { connections: state.connections.size }));
  lookWhoIsLeft(turn, nowMs);
}

/** Must be called when a connection has been answered. */
export function closeBehindAnswer(turn: Turn, connection: Connection): void {
  if (turn.state.retiringSinceMs === undefined || servedBy(connection) === undefined) return;
  const { queue, frames } = connection;
  if (queue.length === 0 && frames.buffered === 0) close(turn, connection);
}

/** Closes the connections whose time is over, and looks again while there are others. */
export function lookWhoIsLeft(turn: Turn, sinceMs: number): void {
  const { state, effects, nowMs } = turn;
  let left = 0;
  for (const connection of state.connections.values()) {
    if (!isToClose(turn, connection, nowMs - sinceMs)) left += 1;
    else close(turn, connection);
  }
  if (left > 0) effects.push({ kind: "startTimer", timer: "retire", afterMs: LOOK_MS });
  else effects.push(tell("admin", { kind: "clientsGone", gateway: state.name }));
}

function isToClose(turn: Turn, connection: Connection, retiringMs: number): boolean {
  const { phase, queue } = connection;
  if (retiringMs >= ANSWERED_MS || phase.kind === "ended") return true;
  // A word is answered at once. Who has no session yet asks another node for it.
  if (servedBy(connection) === undefined) return phase.kind !== "word";
  if (retiringMs < SERVED_MS) return false;
  if (queue.length === 0) return true;
  if (phase.kind === "attached") enterClosing(turn.state.sessions, connection);
  return false;
}
