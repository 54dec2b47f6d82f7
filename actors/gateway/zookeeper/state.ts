/** The ZooKeeper gateway of a lane knows its connections, and what all of them share. */
import type { ConnectionEffect, LocalEffect } from "../../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../../runtime/turn.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import { GATEWAY_HELD_BYTES_MAX, PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import type { WatchEvent } from "../../../protocol/reads.ts";
import { DEFAULT_WORDS } from "../../../protocol/zookeeper/words.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import type { ConnectRequest } from "../../../protocol/zookeeper/handshake.ts";
import type { Request, RequestOptions } from "../../../protocol/zookeeper/requests.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import type { Who } from "../../../protocol/identities.ts";
import type { ClientInfo } from "../../../protocol/zookeeper/replies.ts";
import type { GatewayReport } from "../../admin/messages.ts";
import type { Attachment } from "../attachment.ts";
import {
  FAILOVER_GRACE_MS,
  type GatewayOptions,
  type GatewayState,
  newGatewayState,
} from "../gateway-state.ts";
import type { Authentication, ZooKeeperTimer } from "../messages.ts";
import { type Entry as EntryOf, RequestQueue } from "../request-queue.ts";
import { type Answer, NO_AUTHENTICATION } from "./authentication.ts";
import { type Login, NOT_LOGGED_IN } from "./login.ts";
import type { Note } from "./notes.ts";
import type { Oversized } from "./oversized.ts";
import { newStatistics, type Statistics } from "./statistics.ts";
import { fullBucket, NO_TOKENS, type Tokens, type TokenTerms } from "./tokens.ts";

export type ZooKeeperGatewayOptions = GatewayOptions & {
  /** How long a connection may take to ask for its session. Default 10_000; then it is closed. */
  readonly handshakeTimeoutMs?: number;
  /** These four-letter words are answered; `*` stands for all, and `srvr` is answered always. Default DEFAULT_WORDS. */
  readonly fourLetterWords?: readonly string[];
  /** Without a leader, clients that ask for it are served reads; see read-only.ts. Default false. */
  readonly readOnlyMode?: boolean;
  /** How clients authenticate, and whether they have to. Default: they need not, and cannot by a digest. */
  readonly authentication?: Authentication;
  /** Bytes of one packet, at most PACKET_BYTES_MAX, which is the default. A longer one ends its connection. */
  readonly packetBytesMax?: number;
  /** Requests of all connections that wait for their answers; beyond it, only who has none waiting is read. Default: no limit. */
  readonly requestsMax?: number;
  /** How fast sessions may be asked for; see tokens.ts. Default: as they come. */
  readonly tokens?: TokenTerms;
};

/** What a client asks for. `asksForZxid`: the log is asked where it is before the session is touched. */
export type Wish = ConnectRequest & { readonly asksForZxid?: true };

export type Phase =
  /** The connection has not yet sent its ConnectRequest. */
  | { readonly kind: "opened" }
  /** It asked a four-letter word, which the admin actor answers. */
  | { readonly kind: "word" }
  /** It asked for a session while no leader was known. */
  | { readonly kind: "awaitingLeader"; readonly wish: Wish }
  /** It asked for a session while many others did; see tokens.ts. */
  | { readonly kind: "awaitingToken"; readonly wish: Wish }
  | Attachment<Wish>;

/** These wait in the queue for their turn to be answered. */
type Answerable =
  | Exclude<Request, { readonly kind: "headless" | "auth" | "sasl" | "whoAmI" }>
  | Answer
  | { readonly kind: "whoAmI"; readonly infos: readonly ClientInfo[] }
  | { readonly kind: "event"; readonly event: WatchEvent };
export type Entry = EntryOf<Answerable>;

export type Connection = {
  readonly number: number;
  readonly remoteAddress: string;
  /** Its client speaks TLS. */
  readonly isSecure: boolean;
  /** What the client has proved so far. */
  who: Who;
  /** Its client is one of ClickHouse Keeper's (`keeper.ts`). */
  isKeeper: boolean;
  /** The numbers of its requests have 64 bits. */
  wideXids: boolean;
  /** How far its login by SASL has come. */
  login: Login;
  readonly frames: FrameReader;
  readonly queue: RequestQueue<Answerable>;
  /** Watch events that may have to stand behind results which come in this turn of the loop. */
  heldEvents: WatchEvent[];
  phase: Phase;
  /** The zxid of the last reply: a refusal, which has none of its own, shows nothing newer than the client has seen. */
  repliedZxid: Zxid;
  /** The leader counts the session's timeout from this time or later. */
  leaderHeardMs: number;
  /** Without a leader its client has to be heard of until this time. */
  silentUntilMs: number;
  paused: boolean;
  /** A request that is too long, while it is received. */
  oversized: Oversized | undefined;
  /** How many of its requests count in `requests` of the state. */
  countedRequests: number;
  /** The number of bytes that were written since the last `drained`. */
  unsentBytes: number;
  received: number;
  sent: number;
  statistics: Statistics;
};

export type State = GatewayState<Connection> & {
  readonly options: Required<ZooKeeperGatewayOptions>;
  /** How requests of ClickHouse Keeper's clients are read. */
  readonly keeperOptions: RequestOptions;
  readonly wideOptions: RequestOptions;
  readonly words: ReadonlySet<string>;
  /** Connections in phase `opened`, `word` or `checking` are closed at this time; the oldest comes first. */
  readonly handshakes: Map<Connection, number>;
  /** Those in phase `opened` that have sent more than a usual handshake takes. */
  readonly longHandshakes: Set<Connection>;
  /** Since when this node is about to stop; see retire.ts. */
  retiringSinceMs: number | undefined;
  /** These timers fire at this time; undefined while they do not run. */
  readonly due: Record<"grace" | "withheld", number | undefined>;
  touchTimerRuns: boolean;
  /** The memory that is held for all connections. Those in `throttled` wait because it is too much; see held.ts. */
  heldBytes: number;
  readonly throttled: Set<Connection>;
  /** Requests of all connections that wait, as of when each was last looked at. */
  requests: number;
  readonly tokens: Tokens;
  /** Connections that were throttled until this turn. Their answers leave in it, whatever its message was about. */
  unthrottled: readonly Connection[];
  readonly notes: Map<string, Note>;
  /** Connections with events that are held. */
  readonly holding: Set<Connection>;
  /** These four-letter words were asked in this turn. */
  asked: { readonly client: number; readonly word: string; readonly mask?: bigint }[];
  reported: GatewayReport | undefined;
  /** The time of that report. */
  reportedMs: number;
  readonly reader: JuteReader;
  readonly writer: JuteWriter;
};

/** The one actor that writes to client connections. */
export type ZooKeeperGatewayEffect = LocalEffect<ZooKeeperTimer> | ConnectionEffect;
export type Turn = TurnOf<State, ZooKeeperGatewayEffect>;

/** The part of a turn that is enough to write, log and close. */
export type Output = Pick<Turn, "state" | "effects">;

const HANDSHAKE_TIMEOUT_MS = 10_000;

export function initialState(options: ZooKeeperGatewayOptions, nowMs: number): State {
  const tokens = options.tokens ?? NO_TOKENS;
  const keeperOptions = { extendedTypes: options.extendedTypes ?? true, keeper: true };
  return {
    ...newGatewayState<Connection>(`zookeeper/${options.lane}`, options, nowMs),
    options: {
      packetBytesMax: PACKET_BYTES_MAX,
      requestsMax: Number.POSITIVE_INFINITY,
      tokens,
      failoverGraceMs: FAILOVER_GRACE_MS,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      heldBytesMax: GATEWAY_HELD_BYTES_MAX,
      fourLetterWords: DEFAULT_WORDS,
      readOnlyMode: false,
      extendedTypes: true,
      slowRequestMs: Number.POSITIVE_INFINITY,
      authentication: NO_AUTHENTICATION,
      ...options,
    },
    keeperOptions,
    wideOptions: { ...keeperOptions, wideXids: true },
    words: new Set(options.fourLetterWords ?? DEFAULT_WORDS),
    handshakes: new Map(),
    longHandshakes: new Set(),
    retiringSinceMs: undefined,
    due: { grace: undefined, withheld: undefined },
    touchTimerRuns: false,
    heldBytes: 0,
    throttled: new Set(),
    requests: 0,
    tokens: fullBucket(tokens, nowMs),
    unthrottled: [],
    notes: new Map(),
    holding: new Set(),
    asked: [],
    reported: undefined,
    reportedMs: nowMs,
    reader: new JuteReader(),
    writer: new JuteWriter(),
  };
}

export function newConnection(
  number: number,
  { remoteAddress, isSecure, who }: Pick<Connection, "remoteAddress" | "isSecure" | "who">,
  wallMs: number,
): Connection {
  return {
    number,
    remoteAddress,
    isSecure,
    who,
    isKeeper: false,
    wideXids: false,
    login: NOT_LOGGED_IN,
    frames: new FrameReader(),
    queue: new RequestQueue(),
    heldEvents: [],
    phase: { kind: "opened" },
    repliedZxid: ZXID_NONE,
    leaderHeardMs: Number.NEGATIVE_INFINITY,
    silentUntilMs: Number.POSITIVE_INFINITY,
    paused: false,
    oversized: undefined,
    countedRequests: 0,
    unsentBytes: 0,
    received: 0,
    sent: 0,
    statistics: newStatistics(wallMs),
  };
}

/** Returns `10.0.0.1` for `10.0.0.1:4711`. */
export function addressOf(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(":");
  return colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
}
