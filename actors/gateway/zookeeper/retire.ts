/**
 * The connections of a node that is about to stop. Their clients are to go to other nodes without an error, and this protocol cannot tell them to. So
 * each connection is closed when nothing of it waits and nothing has come of its client for a moment; what comes before is taken and answered. From
 * those that are never quiet, nothing more is taken after a while: what was taken is answered, then they are closed.
 */
import { enterClosing, servedBy } from "../attachment.ts";
import { tell } from "../../inboxes.ts";
import { logEvent } from "../../log-event.ts";
import { close } from "./connections.ts";
import type { Connection, Turn } from "./state.ts";

/** Milliseconds without a byte of a client after which its connection is quiet: more than a client needs for its next request. */
const QUIET_MS = 20;
/** Milliseconds for which a client that is never quiet is served. */
const SERVED_MS = 400;
/** Milliseconds after which a connection is closed although not all of its requests are answered. */
const ANSWERED_MS = 1000;
const LOOK_MS = 10;

export function retire(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  if (state.retiringSinceMs !== undefined) return;
  state.retiringSinceMs = nowMs;
  effects.push(logEvent("retiring", { connections: state.connections.size }));
  lookWhoIsQuiet(turn, nowMs);
}

/** Closes the connections whose time has come, and looks again while there are others. */
export function lookWhoIsQuiet(turn: Turn, sinceMs: number): void {
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
  const { phase, queue, frames, bytesAtMs } = connection;
  if (retiringMs >= ANSWERED_MS || phase.kind === "ended") return true;
  // A word is answered at once. Who has no session yet asks another node for it.
  if (servedBy(connection) === undefined) return phase.kind !== "word";
  const isAnswered = queue.length === 0;
  if (phase.kind === "closing") return isAnswered;
  const isQuiet = turn.nowMs - bytesAtMs >= QUIET_MS && frames.buffered === 0;
  if (isAnswered && isQuiet) return true;
  if (retiringMs >= SERVED_MS) enterClosing(turn.state.sessions, connection);
  return false;
}
