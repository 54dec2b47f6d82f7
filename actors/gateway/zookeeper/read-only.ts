/**
 * A node that has had no leader for too long serves reads to the clients that ask for it in their handshake (`canBeReadOnly`), where
 * `readonlymode.enabled` allows it. What they read may be out of date, but is never older than what they have seen. Nothing is logged: a
 * client without a session is given one that only its connection knows. When there is a leader again all these connections end, and
 * the clients attach as usual. Source: ReadOnlyZooKeeperServer, ReadOnlyRequestProcessor.
 */
import { PASSWORD_BYTES, SESSION_NONE, type SessionId } from "../../../protocol/ids.ts";
import { Code } from "../../../protocol/codes.ts";
import type { ConnectRequest } from "../../../protocol/zookeeper/handshake.ts";
import type { Request } from "../../../protocol/zookeeper/requests.ts";
import { epoch, EPOCH_MAX, formatZxid, type Zxid, zxidOf } from "../../../protocol/zxid.ts";
import { logEvent } from "../../log-event.ts";
import { servedBy } from "../attachment.ts";
import { checkSession } from "../lane.ts";
import { close, enterPhase, expectHandshake, refuse } from "./connections.ts";
import { wakeAt } from "./grace.ts";
import type { Connection, State, Turn } from "./state.ts";

/** Whether the client is to be served without a leader. */
export function maySettle({ options }: State, { canBeReadOnly }: ConnectRequest): boolean {
  return options.readOnlyMode && canBeReadOnly;
}

/** The tree is asked about the session, and with that how far it has come. */
export function askReadOnly(turn: Turn, connection: Connection, wish: ConnectRequest): void {
  expectHandshake(turn, connection);
  enterPhase(turn, connection, { kind: "checking", wish, sinceMs: turn.nowMs, readOnly: true });
  checkSession(turn, connection, wish);
}

/** Serves the client. Returns its session, or undefined if it cannot be served. */
export function settle(
  turn: Turn,
  connection: Connection,
  wish: ConnectRequest,
): { readonly session: SessionId; readonly password: Uint8Array } | undefined {
  const { state, nowMs, randomBytes } = turn;
  if (wish.lastZxidSeen > state.zxid) {
    const seen = formatZxid(wish.lastZxidSeen as Zxid);
    refuse(turn, connection, `the client has seen ${seen}, which this node does not have`);
    return undefined;
  }
  const { timeoutMs } = wish;
  const isNew = wish.session === SESSION_NONE;
  const session = isNew ? localSession(randomBytes) : (wish.session as SessionId);
  const password = isNew ? randomBytes(PASSWORD_BYTES) : wish.password;
  const earlier = state.sessions.holders.get(session);
  if (earlier !== undefined) close(turn, earlier);
  const readOnly = isNew ? "local" : "known";
  const attachedAt = state.zxid;
  enterPhase(turn, connection, { kind: "attached", session, attachedAt, timeoutMs, readOnly });
  connection.repliedZxid = attachedAt;
  // No leader counts on the session meanwhile, so nothing is withheld.
  connection.leaderHeardMs = Number.POSITIVE_INFINITY;
  heard(turn, connection, timeoutMs);
  wakeAt(turn, "grace", nowMs + timeoutMs);
  return { session, password };
}

/** The id of a session that only one connection knows: of the last epoch there can be, which no ensemble comes to. */
function localSession(randomBytes: Turn["randomBytes"]): SessionId {
  const drawn = randomBytes(4);
  const counter = new DataView(drawn.buffer, drawn.byteOffset, 4).getUint32(0);
  return zxidOf(epoch(EPOCH_MAX), counter) as number as SessionId;
}

/** The client is there: its connection is kept for another timeout. */
export function heard({ nowMs }: Turn, connection: Connection, timeoutMs: number): void {
  connection.silentUntilMs = nowMs + timeoutMs;
}

/** Closes the connections of clients that were silent for their timeout. */
export function endSilent(turn: Turn, connection: Connection): void {
  const { nowMs } = turn;
  if (connection.silentUntilMs <= nowMs) refuse(turn, connection, "it was silent for too long");
  else wakeAt(turn, "grace", connection.silentUntilMs);
}

/** There is a leader: clients find out that their connections are gone, and attach again. */
export function endReadOnly(turn: Turn): void {
  let connections = 0;
  for (const connection of turn.state.connections.values()) {
    if (!isReadOnly(connection)) continue;
    close(turn, connection);
    connections += 1;
  }
  if (connections > 0) turn.effects.push(logEvent("readOnlyEnded", { connections }));
}

export function isReadOnly(connection: Connection): boolean {
  const { phase } = connection;
  if (phase.kind === "checking") return phase.readOnly === true;
  return servedBy(connection)?.readOnly !== undefined;
}

/** Returns the request as a connection that may only read is served. */
export function readOnlyRequest(
  connection: Connection,
  request: Exclude<Request, { readonly kind: "headless" }>,
): Exclude<Request, { readonly kind: "headless" }> {
  if (request.kind !== "write") return request;
  const { xid, operation } = request;
  if (operation.kind === "closeSession" && servedBy(connection)?.readOnly === "local")
    return { kind: "parting", xid };
  return { kind: "refused", xid, code: Code.notReadOnly };
}
