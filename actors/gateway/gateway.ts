/**
 * Both gateways do the same when their lane, the log, the heartbeat actor or the leader has news. A protocol adds how its clients
 * are heard and answered: `Protocol`.
 */
import { unreachable } from "../../protocol/assert.ts";
import type { OperationResult } from "../../protocol/operations.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { LeaderHeard } from "../heartbeat/messages.ts";
import { logEvent } from "../log-event.ts";
import type { Written } from "../submitter/messages.ts";
import type { TreeReply } from "../tree/messages.ts";
import { followSessions, servedBy } from "./attachment.ts";
import { isOfNoEpoch, takeHeard } from "./contact.ts";
import { noteHeldUp } from "./metrics.ts";
import {
  type GatewayConnection,
  type GatewayState,
  type GatewayTurn,
  noteApplied,
} from "./gateway-state.ts";
import type { NatsGatewayMessage, SharedMessage, ZooKeeperGatewayMessage } from "./messages.ts";

type Checked = Extract<TreeReply, { readonly kind: "sessionChecked" }>;
/** The tree tells this to a connection that has set a watch or opened a change stream. */
export type Notice = Extract<TreeReply, { readonly kind: "watchEvents" | "changes" | "compacted" }>;

export type Protocol<Connection extends GatewayConnection, Turn extends GatewayTurn<Connection>> = {
  /** Ends the connection. `unknown`: what it waits for, or holds to, is not certain any more. Its client attaches again. */
  readonly end: (
    turn: Turn,
    connection: Connection,
    reason: "moved" | "expired" | "unknown",
  ) => void;
  /** The tree has judged the password of a connection in phase `checking`. */
  readonly checked: (turn: Turn, connection: Connection, verdict: Checked["verdict"]) => void;
  /** The log has created or attached the session of a connection in phase `attaching`, or has refused to. */
  readonly opened: (
    turn: Turn,
    connection: Connection,
    result: OperationResult,
    zxid: Zxid,
  ) => void;
  /** Requests of the connection have their results. Those of reads take `answerBytes` of memory. */
  readonly answered: (turn: Turn, connection: Connection, answerBytes: number) => void;
  /** The leader has heard of the connection's session: its answers may leave. */
  readonly released: (turn: Turn, connection: Connection) => void;
  readonly noticed: (turn: Turn, notice: Notice) => void;
  /** `isShort`: from now on the ensemble does not take all writes. */
  readonly led: (turn: Turn, leader: "found" | "lost" | "same", isShort: boolean) => void;
};

export function receiveShared<
  Connection extends GatewayConnection,
  Turn extends GatewayTurn<Connection>,
>(protocol: Protocol<Connection, Turn>, turn: Turn, message: SharedMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "heldUp":
      noteHeldUp(state.metrics, message.ms, turn.nowMs);
      return;
    case "written":
      takeWritten(protocol, turn, message);
      return;
    case "readDone": {
      const { client, zxid, results } = message;
      noteApplied(state, zxid);
      const connection = state.connections.get(client);
      if (connection === undefined || servedBy(connection) === undefined) return;
      const answerBytes = connection.queue.answerReads(zxid, results, state.admission);
      protocol.answered(turn, connection, answerBytes);
      return;
    }
    case "sessionChecked": {
      noteApplied(state, message.zxid);
      const connection = state.connections.get(message.client);
      if (connection?.phase.kind === "checking")
        protocol.checked(turn, connection, message.verdict);
      return;
    }
    case "watchEvents":
    case "changes":
    case "compacted":
      protocol.noticed(turn, message);
      return;
    case "treeMemory":
      state.sessionsFull = message.sessionsFull;
      return;
    case "treeReset":
      endAll(protocol, turn, "closedForSnapshot");
      return;
    case "sessionChanges":
      followSessions(state.sessions, message, (connection, reason) => {
        protocol.end(turn, connection, reason);
      });
      return;
    case "leadership": {
      const isShort = message.admission !== "all" && message.admission !== state.admission;
      protocol.led(turn, takeLeadership(state, message, turn.nowMs), isShort);
      return;
    }
    case "leaderHeard":
      takeLeaderHeard(protocol, turn, message);
      return;
    default:
      unreachable(message);
  }
}

function takeWritten<Connection extends GatewayConnection, Turn extends GatewayTurn<Connection>>(
  protocol: Protocol<Connection, Turn>,
  turn: Turn,
  { client, zxids, results }: Written,
): void {
  noteApplied(turn.state, zxids.at(-1));
  const connection = turn.state.connections.get(client);
  const [zxid] = zxids;
  const [result] = results;
  if (connection === undefined || zxid === undefined || result === undefined) return;
  if (connection.phase.kind === "attaching") {
    protocol.opened(turn, connection, result, zxid);
  } else if (servedBy(connection) !== undefined) {
    connection.queue.answerWrites(zxids, results);
    protocol.answered(turn, connection, 0);
  }
}

function takeLeadership<Connection extends GatewayConnection>(
  state: GatewayState<Connection>,
  { role, admission, epoch }: Leadership,
  nowMs: number,
): "found" | "lost" | "same" {
  const isKnown = role === "following" || role === "leading";
  state.admission = admission;
  state.epoch = epoch;
  if (isKnown === (state.leader.kind === "known")) return "same";
  state.leader = isKnown ? { kind: "known" } : { kind: "lost", sinceMs: nowMs };
  return isKnown ? "found" : "lost";
}

/** The leader has heard of sessions: withheld answers leave, and sessions that are now known never to have been are over. */
function takeLeaderHeard<
  Connection extends GatewayConnection,
  Turn extends GatewayTurn<Connection>,
>(protocol: Protocol<Connection, Turn>, turn: Turn, { turns }: LeaderHeard): void {
  const { name, contact, sessions, epoch } = turn.state;
  const { holders, impossible, withheld } = sessions;
  const untilMs = takeHeard(contact, turns[name], (session, atMs) => {
    const connection = holders.get(session);
    if (connection === undefined || connection.leaderHeardMs >= atMs) return;
    connection.leaderHeardMs = atMs;
    if (withheld.delete(connection)) protocol.released(turn, connection);
  });
  for (const connection of impossible) {
    const { phase } = connection;
    if (phase.kind !== "checking" || !isOfNoEpoch(phase.wish.session, epoch)) {
      impossible.delete(connection);
    } else if (phase.sinceMs <= untilMs) {
      protocol.end(turn, connection, "expired");
    }
  }
}

export function endAll<Connection extends GatewayConnection, Turn extends GatewayTurn<Connection>>(
  protocol: Protocol<Connection, Turn>,
  turn: Turn,
  event: "closedForSnapshot" | "closedAfterFailure",
): void {
  let connections = 0;
  for (const connection of turn.state.connections.values()) {
    if (connection.phase.kind === "ended") continue;
    protocol.end(turn, connection, "unknown");
    connections += 1;
  }
  turn.effects.push(logEvent(event, { connections }));
}

/** Whether the message is news of sessions: one may have ended, or gone to another connection, and no connection was told. */
export function isAboutSessions({ kind }: ZooKeeperGatewayMessage | NatsGatewayMessage): boolean {
  return kind === "sessionChanges" || kind === "treeReset";
}
