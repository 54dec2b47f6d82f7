/** What the gateways of both protocols know, and what becomes of it when the leader, the lane or the heartbeat actor has news. */
import { logEvent } from "../log-event.ts";
import type { Leadership, WriteAdmission } from "../../protocol/replication.ts";
import { type Epoch, EPOCH_NONE, ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type {
  EndOfTurn,
  EndOfTurnEffect,
  LogEffect,
  TellEffect,
  TimerEffect,
  TimerMessage,
} from "../../runtime/effects.ts";
import type { LeaderHeard } from "../heartbeat/messages.ts";
import { type Attachable, newSessions, type Sessions } from "./attachment.ts";
import { type Contact, isOfNoEpoch, newContact, takeHeard } from "./contact.ts";
import type { GatewayName } from "./messages.ts";
import { type Metrics, newMetrics } from "./metrics.ts";
import type { Queueable, RequestQueue } from "./request-queue.ts";

export type GatewayOptions = {
  /** The lane whose clients these are: its tree and its submitter serve them. */
  readonly lane: number;
  /** The shortest session timeout that is granted; who asks for less gets this. */
  readonly minSessionTimeoutMs: number;
  /** The longest session timeout that is granted; who asks for more gets this. */
  readonly maxSessionTimeoutMs: number;
  /**
   * How long connections are kept while no leader is known. Default 2000, and always less than a third of the connection's
   * session timeout. Longer hides slower elections from clients.
   */
  readonly failoverGraceMs?: number;
  /**
   * The memory that requests and output of all connections may take. With more they wait or are refused. Default
   * GATEWAY_HELD_BYTES_MAX.
   */
  readonly heldBytesMax?: number;
};

export const FAILOVER_GRACE_MS = 2000;

export type GatewayConnection = Attachable & {
  readonly number: number;
  readonly queue: RequestQueue<Queueable>;
};

export type GatewayState<Connection extends GatewayConnection> = {
  readonly name: GatewayName;
  readonly lane: number;
  readonly connections: Map<number, Connection>;
  readonly sessions: Sessions<Connection>;
  readonly contact: Contact;
  readonly metrics: Metrics;
  /** `known`: a leader is known and can commit. */
  leader: { readonly kind: "known" } | { readonly kind: "lost"; readonly sinceMs: number };
  /** The leader's epoch, while a leader is known. */
  epoch: Epoch;
  /** Which writes of clients the ensemble takes. */
  admission: WriteAdmission;
  /** The tree takes no new session. */
  sessionsFull: boolean;
  /** The last zxid that this lane's replica is known to have applied. */
  zxid: Zxid;
};

/** A turn of either gateway, as far as shared code uses it. */
export type GatewayTurn<Connection extends GatewayConnection> = {
  readonly state: GatewayState<Connection>;
  readonly effects: { push(effect: TellEffect | LogEffect): unknown };
  readonly nowMs: number;
};

export function newGatewayState<Connection extends GatewayConnection>(
  name: GatewayName,
  lane: number,
  nowMs: number,
): GatewayState<Connection> {
  return {
    name,
    lane,
    connections: new Map(),
    sessions: newSessions(),
    contact: newContact(),
    metrics: newMetrics(),
    leader: { kind: "lost", sinceMs: nowMs },
    epoch: EPOCH_NONE,
    admission: "all",
    sessionsFull: false,
    zxid: ZXID_NONE,
  };
}

/** What a client's wish for a session timeout becomes. */
export function grantedMs(options: GatewayOptions, timeoutMs: number): number {
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = options;
  return Math.min(Math.max(timeoutMs, minSessionTimeoutMs), maxSessionTimeoutMs);
}

/** The lane's replica has applied this zxid. */
export function noteApplied<Connection extends GatewayConnection>(
  state: GatewayState<Connection>,
  zxid: Zxid | undefined,
): void {
  if (zxid !== undefined && zxid > state.zxid) state.zxid = zxid;
}

/** Says whether a leader was found or lost by this. */
export function takeLeadership<Connection extends GatewayConnection>(
  { state, nowMs }: GatewayTurn<Connection>,
  { role, admission, epoch }: Leadership,
): "found" | "lost" | "unchanged" {
  const isKnown = role === "following" || role === "leading";
  state.admission = admission;
  state.epoch = epoch;
  if (isKnown === (state.leader.kind === "known")) return "unchanged";
  state.leader = isKnown ? { kind: "known" } : { kind: "lost", sinceMs: nowMs };
  return isKnown ? "found" : "lost";
}

/**
 * The leader has heard of sessions. Calls `release` for each connection whose answers waited for that, and `expire` for each whose
 * session is now known never to have been.
 */
export function takeLeaderHeard<Connection extends GatewayConnection>(
  { state }: GatewayTurn<Connection>,
  { turns }: LeaderHeard,
  on: {
    readonly release: (connection: Connection) => void;
    readonly expire: (connection: Connection) => void;
  },
): void {
  const { holders, impossible, withheld } = state.sessions;
  const untilMs = takeHeard(state.contact, turns[state.name], (session, atMs) => {
    const connection = holders.get(session);
    if (connection === undefined || connection.leaderHeardMs >= atMs) return;
    connection.leaderHeardMs = atMs;
    if (withheld.delete(connection)) on.release(connection);
  });
  for (const connection of impossible) {
    const { phase } = connection;
    if (phase.kind !== "checking" || !isOfNoEpoch(phase.wish.session, state.epoch)) {
      impossible.delete(connection);
    } else if (phase.sinceMs <= untilMs) {
      on.expire(connection);
    }
  }
}

/** What the connections wait for, or hold to, is not certain any more: all of them end. Their clients attach again. */
export function endAll<Connection extends GatewayConnection>(
  { state, effects }: GatewayTurn<Connection>,
  event: "closedForSnapshot" | "closedAfterFailure",
  end: (connection: Connection) => void,
): void {
  let connections = 0;
  for (const connection of state.connections.values()) {
    if (connection.phase.kind === "ended") continue;
    end(connection);
    connections += 1;
  }
  effects.push(logEvent(event, { connections }));
}

/** After a failure over a message: a session may have ended, or gone to another connection, and nobody was told. */
export function concernsAll({ kind }: { readonly kind: string }): boolean {
  return kind === "sessionChanges" || kind === "treeReset";
}

/** After a failure over what the runtime was asked for: it is asked again. */
export function askAgain<Timer extends string>(
  effects: { push(effect: EndOfTurnEffect | TimerEffect<Timer>): unknown },
  message: EndOfTurn | TimerMessage<Timer>,
  afterMs: number,
): void {
  if (message.kind === "endOfTurn") effects.push(message);
  else effects.push({ kind: "startTimer", timer: message.timer, afterMs });
}
