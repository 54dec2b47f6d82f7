/** The gateways of both protocols know this of their lane, their leader and their clients. */
import type { WriteAdmission } from "../../protocol/replication.ts";
import { type Epoch, EPOCH_NONE, ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { EndOfTurnEffect, LogEffect, TellEffect } from "../../runtime/effects.ts";
import { type Attachable, newSessions, type Sessions } from "./attachment.ts";
import type { Busy } from "./busy.ts";
import { type Contact, newContact } from "./contact.ts";
import type { GatewayName } from "./messages.ts";
import { type Metrics, newMetrics } from "./metrics.ts";
import type { Queueable, RequestQueue } from "./request-queue.ts";
import { newSlowNotes, type SlowNotes } from "./slow-requests.ts";

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
  /** Whether znodes with a time to live may be made. Default true. The same on every node. */
  readonly extendedTypes?: boolean;
  /** A read or write whose answer took so many milliseconds is a slow request, of which the admin actor is told. Default: none is. */
  readonly slowRequestMs?: number;
};

export const FAILOVER_GRACE_MS = 2000;

export type GatewayConnection = Attachable & {
  readonly number: number;
  readonly queue: RequestQueue<Queueable>;
  /** Up to which number the client has had its answers. Undefined: its writes have no numbers that the log knows. */
  readonly answered?: number;
};

export type GatewayState<Connection extends GatewayConnection> = {
  readonly name: GatewayName;
  readonly lane: number;
  readonly connections: Map<number, Connection>;
  readonly sessions: Sessions<Connection>;
  readonly contact: Contact;
  readonly metrics: Metrics;
  /** What is asked for most. Undefined: nobody wants to know. */
  busy: Busy | undefined;
  readonly slow: SlowNotes;
  /** `known`: a leader is known and can commit. */
  leader: { readonly kind: "known" } | { readonly kind: "lost"; readonly sinceMs: number };
  /** The epoch of the leader; without one, the epoch that this node has promised. */
  epoch: Epoch;
  /** Which writes of clients the ensemble takes. */
  admission: WriteAdmission;
  /** The tree takes no new session. */
  sessionsFull: boolean;
  /** The last zxid that this lane's replica is known to have applied. */
  zxid: Zxid;
};

/** The part of a turn that shared code uses, of either gateway. */
export type GatewayTurn<Connection extends GatewayConnection> = {
  readonly state: GatewayState<Connection>;
  readonly effects: { push(effect: TellEffect | LogEffect | EndOfTurnEffect): unknown };
  readonly nowMs: number;
};

export function newGatewayState<Connection extends GatewayConnection>(
  name: GatewayName,
  { lane, slowRequestMs }: Pick<GatewayOptions, "lane" | "slowRequestMs">,
  nowMs: number,
): GatewayState<Connection> {
  return {
    name,
    lane,
    connections: new Map(),
    sessions: newSessions(),
    contact: newContact(),
    metrics: newMetrics(slowRequestMs),
    busy: undefined,
    slow: newSlowNotes(nowMs),
    leader: { kind: "lost", sinceMs: nowMs },
    epoch: EPOCH_NONE,
    admission: "all",
    sessionsFull: false,
    zxid: ZXID_NONE,
  };
}

/** Returns the session timeout that a client gets when it wishes for this one. */
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
