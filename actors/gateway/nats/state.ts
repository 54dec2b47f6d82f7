/** The gateway of native clients knows its connections, and what all of them share. */
import type { LocalEffect, PublishEffect } from "../../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../../runtime/turn.ts";
import { DEFAULT_SCHEMES } from "../../../protocol/access.ts";
import { ANYONE, UNCHECKED, type Who } from "../../../protocol/identities.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { GATEWAY_HELD_BYTES_MAX, STREAM_PENDING_BYTES_MAX } from "../../../protocol/limits.ts";
import type { OutputItem } from "../../../protocol/native.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { KeptResult } from "../../../protocol/operations.ts";
import { inboxPrefix, wordSubjects } from "../../../protocol/subjects.ts";
import type { Attachment } from "../attachment.ts";
import { type Digests, NO_DIGESTS } from "../digests.ts";
import {
  FAILOVER_GRACE_MS,
  type GatewayOptions,
  type GatewayState,
  newGatewayState,
} from "../gateway-state.ts";
import { type Entry as EntryOf, RequestQueue } from "../request-queue.ts";
import type { Offenders } from "./offenders.ts";
import type { SharedPortions } from "./portions.ts";
import type { GatewayStream } from "./streams.ts";

export type NatsGatewayOptions = GatewayOptions & {
  /** Everybody may do everything, whatever access control lists say. Default: no. */
  readonly skipsAcl?: boolean;
  /** How clients prove identities. Default: they cannot. */
  readonly digests?: Digests;
  /** The schemes that access control lists may have. Default: those that need no configuration. */
  readonly schemes?: ReadonlySet<string>;
  readonly server: ServerId;
  /** The ensemble's nodes, which answers to four-letter words name. Default: this one. */
  readonly members?: readonly ServerId[];
  readonly ensemble: string;
  /**
   * The memory that changes may take while they wait for a stream's credits: with more the stream pauses. Default
   * STREAM_PENDING_BYTES_MAX.
   */
  readonly streamPendingBytesMax?: number;
};

export type Entry = EntryOf<NativeRequest>;

export type Connection = {
  readonly number: number;
  readonly inbox: string;
  /** What the client has proved so far. */
  who: Who;
  readonly queue: RequestQueue<NativeRequest>;
  /** The client has had its answers up to this number. */
  answered: number;
  /** The number of the last write that was handed on, and how many results the session keeps at most. */
  lastWrite: number;
  keptAtMost: number;
  /** What the session's writes had come to when the connection was attached: what the client asks again is answered from this. */
  before: Before;
  phase: Attachment;
  clientHeardMs: number;
  /** The leader counts the session's timeout from this time or later. */
  leaderHeardMs: number;
  /** The last frame from the client, and the last one to it, had these sequence numbers. */
  received: number;
  sent: number;
  out: OutputItem[];
  outBytes: number;
  /** Frames that the client has not said to have taken, oldest first. */
  readonly untaken: { readonly sequence: number; readonly bytes: number }[];
  untakenBytes: number;
  /** Streams are found by the client's number, and by the number that the tree knows. */
  readonly streams: Map<number, GatewayStream>;
  readonly treeStreams: Map<number, GatewayStream>;
};

/** Writes up to the number `last` were done before, or refused and not done. */
export type Before = { readonly last: number; readonly kept: Map<number, KeptResult> };

const NOTHING_BEFORE: Before = { last: 0, kept: new Map() };

export type State = GatewayState<Connection> & {
  readonly options: Required<NatsGatewayOptions>;
  /** Who a client is that has proved nothing: NATS says nothing of that, so it may what everybody may. */
  readonly who: Who;
  /** The subjects of clients' inboxes begin with this; nothing is ever sent to another subject. */
  readonly inboxPrefix: string;
  /** Four-letter words come on these subjects. */
  readonly wordSubjects: ReadonlySet<string>;
  /** Who has asked one and has no answer yet, the oldest first, by numbers that no connection has. */
  readonly asked: Map<number, { readonly inbox: string; readonly sinceMs: number }>;
  nextAsked: number;
  readonly byInbox: Map<string, Connection>;
  /** How often a session was asked for with another password since the last line about it. */
  wrongPasswords: number;
  nextConnection: number;
  nextTreeStream: number;
  /** Streams that are being opened at the tree. */
  readonly openings: {
    /** The tree has not yet answered for the stream that it knows by this number. */
    underWay: number | undefined;
    /** The streams that wait, by connection. Connections take turns; none is here without a stream. */
    readonly waiting: Map<Connection, Set<GatewayStream>>;
  };
  /** Connections with items in `out`. */
  readonly dirty: Set<Connection>;
  readonly shared: SharedPortions;
  readonly offenders: Offenders;
  /** The node is about to stop: no connection is opened any more. */
  isRetiring: boolean;
  /** A leader has been known at some time since the start. */
  hasServed: boolean;
  /** The memory that the requests of all connections take. */
  requestBytes: number;
  /** The memory that items in `out`, and frames not known to be taken, take for all connections. */
  outputBytes: number;
  reportDueMs: number;
  /** When the tree is to be asked next how far the streams have come. */
  progressDueMs: number;
};

/** The one actor that publishes to native clients. */
export type NatsGatewayEffect = LocalEffect<"tick"> | PublishEffect;
export type Turn = TurnOf<State, NatsGatewayEffect>;

export function initialState(options: NatsGatewayOptions, nowMs: number): State {
  return {
    ...newGatewayState<Connection>(`nats/${options.lane}`, options, nowMs),
    options: {
      heldBytesMax: GATEWAY_HELD_BYTES_MAX,
      failoverGraceMs: FAILOVER_GRACE_MS,
      extendedTypes: true,
      slowRequestMs: Number.POSITIVE_INFINITY,
      streamPendingBytesMax: STREAM_PENDING_BYTES_MAX,
      skipsAcl: false,
      digests: NO_DIGESTS,
      schemes: DEFAULT_SCHEMES,
      members: [options.server],
      ...options,
    },
    who: options.skipsAcl === true ? UNCHECKED : ANYONE,
    inboxPrefix: inboxPrefix(options.ensemble),
    wordSubjects: new Set(wordSubjects(options.ensemble, options.server)),
    asked: new Map(),
    nextAsked: 1,
    byInbox: new Map(),
    wrongPasswords: 0,
    nextConnection: 1,
    nextTreeStream: 1,
    openings: { underWay: undefined, waiting: new Map() },
    dirty: new Set(),
    shared: { cut: new Map(), encoded: new Map() },
    offenders: new Map(),
    isRetiring: false,
    hasServed: false,
    requestBytes: 0,
    outputBytes: 0,
    reportDueMs: nowMs,
    progressDueMs: nowMs,
  };
}

export function newConnection(
  number: number,
  { inbox, who, phase }: Pick<Connection, "inbox" | "who" | "phase">,
  nowMs: number,
): Connection {
  return {
    number,
    inbox,
    who,
    queue: new RequestQueue(),
    answered: 0,
    lastWrite: 0,
    keptAtMost: 0,
    before: NOTHING_BEFORE,
    phase,
    clientHeardMs: nowMs,
    leaderHeardMs: nowMs,
    received: 0,
    sent: 0,
    out: [],
    outBytes: 0,
    untaken: [],
    untakenBytes: 0,
    streams: new Map(),
    treeStreams: new Map(),
  };
}
