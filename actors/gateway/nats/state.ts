/** What the gateway of native clients knows: its connections, and what all of them share. */
import type { LocalEffect, PublishEffect } from "../../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../../runtime/turn.ts";
import type { ServerId, SessionId } from "../../../protocol/ids.ts";
import type { GatewayItem } from "../../../protocol/native.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { Epoch, Zxid } from "../../../protocol/zxid.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import type { Contact } from "../contact.ts";
import type { Offenders } from "./offenders.ts";
import type { GatewayStream } from "./streams.ts";
import type { GatewayName } from "../messages.ts";

export type NatsGatewayOptions = {
  readonly server: ServerId;
  readonly lane: number;
  readonly ensemble: string;
  /** What a client's wish for a session timeout is clamped to. */
  readonly timeouts: {
    readonly minSessionTimeoutMs: number;
    readonly maxSessionTimeoutMs: number;
  };
  /**
   * How long connections are kept while no leader is known. Default 2000, and always less than a third of the connection's
   * session timeout. Longer hides slower elections from clients.
   */
  readonly failoverGraceMs?: number;
  /** Of changes that wait for a stream's credits: with more it pauses. Default `STREAM_PENDING_BYTES_MAX`. */
  readonly streamPendingBytesMax?: number;
  /** Bytes of requests and of output of all connections; beyond it they wait or are refused. Default GATEWAY_HELD_BYTES_MAX. */
  readonly heldBytesMax?: number;
};

export type Phase =
  /** Its session is there already: its password is being looked at. */
  | {
      readonly kind: "checking";
      readonly session: SessionId;
      readonly password: Uint8Array;
      readonly sinceMs: number;
    }
  /** Its session is being created or attached. `supersededAt`: that session was attached elsewhere, or closed. */
  | { readonly kind: "opening"; readonly session: SessionId; supersededAt: number }
  | { readonly kind: "open"; readonly session: SessionId; readonly attachedAt: Zxid }
  /** A closeSession is under way: what comes after it is not read. */
  | { readonly kind: "closing"; readonly session: SessionId; readonly attachedAt: Zxid };

export type Waiting = {
  readonly id: number;
  readonly request: NativeRequest;
  readonly atMs: number;
  /** Of memory, about. */
  readonly bytes: number;
  /** A write that the tree has said not to make it larger. */
  readonly fits: boolean;
};
export type UnderWay = Pick<Waiting, "id" | "atMs" | "bytes">;

export type Connection = {
  readonly number: number;
  readonly inbox: string;
  readonly timeoutMs: number;
  phase: Phase;
  heardAtMs: number;
  /** The leader counts the session's timeout from this time or later. */
  leaderHeardMs: number;
  /** Sequence of the last frame from and to the client. */
  received: number;
  sent: number;
  /** Requests in order; the first is a read that waits for the connection's own writes. */
  waiting: Waiting[];
  /** Told to the submitter and to the tree, oldest first. */
  readonly writes: UnderWay[];
  reads: Waiting[];
  /** Of all requests that are waiting or under way. */
  requestBytes: number;
  out: GatewayItem[];
  outBytes: number;
  /** Frames that the client has not said to have taken, oldest first. */
  readonly untaken: { readonly sequence: number; readonly bytes: number }[];
  untakenBytes: number;
  /** By the client's number, and by the number the tree knows. */
  readonly streams: Map<number, GatewayStream>;
  readonly treeStreams: Map<number, GatewayStream>;
};

export type State = {
  readonly name: GatewayName;
  readonly options: Required<NatsGatewayOptions>;
  /** Subjects of clients' inboxes start so; nothing is ever sent to another subject. */
  readonly inboxPrefix: string;
  readonly connections: Map<number, Connection>;
  readonly byInbox: Map<string, Connection>;
  readonly bySession: Map<SessionId, Connection>;
  /** Sessions that were asked for with another password, since the last line about it. */
  wrongPasswords: number;
  nextConnection: number;
  nextTreeStream: number;
  /** Streams that are being opened at the tree. */
  readonly openings: {
    /** The tree's number of the one that it has not yet answered for. */
    underWay: number | undefined;
    /** By connection, in turn; none is empty. */
    readonly waiting: Map<Connection, Set<GatewayStream>>;
  };
  /** Connections with items in `out`. */
  readonly dirty: Set<Connection>;
  readonly offenders: Offenders;
  readonly contact: Contact;
  /** With items in `out` that may not leave before the leader has heard of the session. */
  readonly held: Set<Connection>;
  /** A leader is known and can commit. */
  serving: boolean;
  /** The leader's, while one is known. */
  epoch: Epoch;
  /** In phase `checking`, for a session of an epoch above the leader's. */
  readonly impossible: Set<Connection>;
  /** It has at some time since the start. */
  hasServed: boolean;
  leaderlessSinceMs: number;
  /** For writes of clients, on the disks that hold them. */
  admission: WriteAdmission;
  /** The last that this lane's replica is known to have applied. */
  zxid: Zxid;
  /** The tree takes no new session. */
  sessionsFull: boolean;
  /** Of the requests of all connections. */
  requestBytes: number;
  /** In `out`, or not known to be taken, of all connections. */
  outputBytes: number;
  received: number;
  sent: number;
  latency: { count: number; totalMs: number; minMs: number; maxMs: number };
  reportDueMs: number;
};

/** The one actor that publishes to native clients. */
export type NatsGatewayEffect = LocalEffect<"tick"> | PublishEffect;
export type Turn = TurnOf<State, NatsGatewayEffect>;
