/** The messages of the admin actor, which collects reports on the main thread and answers four-letter words (`admin.ts`). */
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { WordArgument } from "../../protocol/zookeeper/word-argument.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { EventDetail } from "../../runtime/effects.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { Peers } from "../heartbeat/messages.ts";
import type { TreeMetrics } from "../tree/messages.ts";
import type { Metrics, Mode } from "./four-letter-words.ts";
import type { LatencyCell, PrefixLatencies } from "./heat/messages.ts";
import type { SlowRecord, SlowRequests, SlowStages, SlowSummary } from "./slow/messages.ts";

/** From a gateway, once a second and whenever it asks for a four-letter word: its metrics since the start. */
export type GatewayReport = {
  readonly kind: "gatewayReport";
  readonly gateway: GatewayName;
  readonly connections: number;
  /** Clients that were turned away before they had a connection. */
  readonly refused: number;
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  readonly latencyMs: { readonly min: number; readonly average: number; readonly max: number };
  /** Reads and writes whose answers took as long as a slow request's. */
  readonly slow: number;
  /** One line for each client, as `stat` prints it. */
  readonly clients: readonly string[];
  /** From a gateway of native clients. */
  readonly streams?: StreamCounts;
};

/** The change streams of native clients. */
export type StreamCounts = {
  readonly lane: number;
  readonly open: number;
  /** Those with changes that wait for their client: it has granted no credits, or takes in too slowly. */
  readonly waiting: number;
  /** The bytes that wait, of all streams and of the one with the most. */
  readonly pendingBytes: number;
  readonly pendingBytesMax: number;
  /** The changes that wait, in the same way. */
  readonly pendingChanges: number;
  readonly pendingChangesMax: number;
  /**
   * How far the stream has come that is furthest behind: up to this zxid it has been sent everything. Undefined: none is behind. Behind is a
   * stream with changes that wait, or one that is not open at the tree, since too many wait or its turn has not come.
   */
  readonly furthestBehind: Zxid | undefined;
  /** The latest zxid that the gateway has heard its tree has applied, which reports that itself only now and then. */
  readonly heardOf: Zxid;
};

/** The change streams of all lanes together, and for each lane how far the last of its streams is behind. */
export type StreamMetrics = Omit<StreamCounts, "lane" | "furthestBehind" | "heardOf"> & {
  /** In zxids that the lane's tree has applied, in order of the lanes; 0: none is behind. */
  readonly lagZxids: readonly (readonly [lane: number, zxids: number])[];
};

/** From the server, at intervals: what the operating system says about the process. */
export type ProcessReport = {
  readonly kind: "processReport";
  readonly openFiles: number;
  readonly openFilesMax: number;
};

/** From the server, at intervals: how many messages of peers were refused since the start. */
export type PeersReport = { readonly kind: "peersReport"; readonly refused: number };

/** From each tree lane, at intervals: how many bytes of the lane's heap are in use. */
export type LaneReport = {
  readonly kind: "laneReport";
  readonly lane: number;
  readonly heapUsedBytes: number;
};

/** Whether a connection to NATS is there; the client of NATS goes on trying by itself while it is not. */
export type NatsStatus = "connected" | "disconnected";

/** From each thread that has a connection to NATS: at once, and when it is lost or there again. */
export type NatsReport = {
  readonly kind: "natsReport";
  /** `peers`: the way to the other nodes. A number: the way to the native clients of that lane. */
  readonly connection: NatsConnectionName;
  readonly status: NatsStatus;
};

export type NatsConnectionName = "peers" | number;

/** Emitted under `nats`. */
export type NatsConnections = {
  readonly kind: "natsConnections";
  /** The connection to the other nodes; undefined of a node that has none. */
  readonly peers: NatsStatus | undefined;
  /** By lane, the connection to its native clients. Empty: the node serves none. */
  readonly lanes: ReadonlyMap<number, NatsStatus>;
};

/** From the server, if it is to measure: what an actor has done since the report before. */
export type ActorReport = {
  readonly kind: "actorReport";
  readonly actor: string;
  readonly steps: number;
  /** The time of all steps together. */
  readonly busyMs: number;
  readonly slowestUs: number;
  /** The most messages that waited for the actor. */
  readonly queuedMax: number;
};

export type HistogramReport = {
  /** The largest value of each bucket but the last, ascending. */
  readonly bounds: readonly number[];
  /** How many values fell into each bucket. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly min: number;
  readonly max: number;
};

/** From the server, if it measures: what was measured on a thread since it started. Durations are in milliseconds. */
export type MeasuresReport = {
  readonly kind: "measuresReport";
  /** `main`, `log`, or the number of a lane. */
  readonly thread: string;
  readonly histograms: readonly (readonly [name: string, histogram: HistogramReport])[];
  readonly counters: readonly (readonly [name: string, count: number])[];
};

/** From the server, at intervals: what `conf` and `dirs` tell beside the configuration. */
export type ServerReport = {
  readonly kind: "serverReport";
  /** The ports for clients; undefined before they can connect, and where there is none. */
  readonly clientPort: number | undefined;
  readonly secureClientPort?: number | undefined;
  /** Bytes of all files in the data folder. */
  readonly folderBytes: number;
  /** The same of the folder of the log, which may be the same folder. */
  readonly logFolderBytes: number;
};

/** Entries that stand below each other in an answer, under a name: a path, a session, or a time in milliseconds since 1970. */
export type Group = { readonly name: string | number; readonly entries: readonly string[] };

/** How many connections of a lane have how many watches on how many paths. As in ZooKeeper's `wchs`, those on children do not count. */
export type WatchCounts = {
  readonly connections: number;
  readonly paths: number;
  readonly watches: number;
};

/**
 * From an actor that the admin actor has asked with a `question` of this number: its part of the answer to a four-letter word. What has
 * no place within the limit that the question named is only counted, in `omitted`.
 */
export type Part = {
  readonly kind: "part";
  readonly question: number;
  readonly from: GatewayName | `tree/${number}` | "sessions";
  readonly groups: readonly Group[];
  readonly omitted: number;
  /** From a gateway that was asked about watches. */
  readonly watches?: WatchCounts;
  /** From a gateway that was asked what is asked of it. */
  readonly busy?: BusyPart;
  /** From a gateway that was asked how long requests took, by kind and time, and by path. */
  readonly latencies?: readonly LatencyCell[];
  readonly prefixes?: readonly PrefixLatencies[];
};

/** To every gateway: tell what is asked of it. The answer is a `part` with `busy`. */
export type BusyQuestion = { readonly kind: "tellBusy"; readonly question: number };

/** To every gateway: tell how long requests took. The answer is a `part` with `latencies` and `prefixes`. */
export type LatenciesQuestion = { readonly kind: "tellLatencies"; readonly question: number };

/** To every gateway. The answer is a `part` with SessionFacts in JSON for each session that has a connection. */
export type ConnectedSessionsQuestion = {
  readonly kind: "listConnectedSessions";
  readonly question: number;
  readonly bytesMax: number;
};

/** To the tree of a lane. The answer is a `part` with an entry of `known` of a SessionsAnswer in JSON for each session. */
export type SessionCountsQuestion = {
  readonly kind: "listSessionCounts";
  readonly question: number;
  readonly bytesMax: number;
};

/** To every gateway: tell what `srvr` counts, as it is now or set back. The answers are a report and then a `part` without groups. */
export type MetricsQuestion = {
  readonly kind: "tellMetrics" | "resetMetrics";
  readonly question: number;
};

export type ConnectionsQuestion =
  /** Set back what `cons` counts of each connection. The answer is a `part` without groups. */
  | { readonly kind: "resetConnections"; readonly question: number }
  /**
   * The answer is a `part`. For `cons` it has a line for each connection, in one group; for `dump`, the connections by when they end; for
   * `connections`, a ConnectionFacts in JSON for each, in the group `secure` for those that speak TLS.
   */
  | {
      readonly kind: "listConnections";
      readonly question: number;
      readonly word: "cons" | "dump" | "connections";
      readonly bytesMax: number;
    };

/** What is known of a connection, under the names that ZooKeeper's AdminServer has for it. Times are in milliseconds. */
export type ConnectionFacts = {
  readonly remote_socket_address: string;
  /** 1: the node reads from it. 0: it does not for now. */
  readonly interest_ops: number;
  readonly outstanding_requests: number;
  readonly packets_received: number;
  readonly packets_sent: number;
  /** The following are known of a connection that has a session. */
  readonly session_id?: number;
  readonly last_operation?: string;
  readonly established?: number;
  readonly session_timeout?: number;
  readonly last_cxid?: number;
  readonly last_zxid?: number;
  readonly last_response_time?: number;
  readonly last_latency?: number;
  readonly min_latency?: number;
  readonly avg_latency?: number;
  readonly max_latency?: number;
};

/** One watch, or over NATS one change stream. */
export type WatchFacts = {
  /** In hexadecimal. */
  readonly session: string;
  /** The client's address and port; null where NATS carries it. */
  readonly address: string | null;
  /** Where the watch is: at the znode that was asked about, or, if it is one of a subtree, perhaps above it. */
  readonly path: string;
  readonly watches: Watched;
};

/** What a watch hears of: the znode itself, its children, both again and again, all below it, or a stream of either. */
export type Watched = "data" | "children" | "persistent" | "recursive" | "stream" | "subtreeStream";

/** To every gateway: whose watches are at the znode or above it and hear of it, or which has the session. The answer is a `part` with WatchFacts in JSON. */
export type FindWatchesQuestion = {
  readonly kind: "findWatches";
  readonly question: number;
  readonly argument: WordArgument;
  readonly bytesMax: number;
};

/** To the tree of a lane. The answer is a `part` with the paths of the session's ephemerals, in the order in which they were created. */
export type SessionEphemeralsQuestion = {
  readonly kind: "listSessionEphemerals";
  readonly question: number;
  readonly session: SessionId;
  /** Those behind this one. Undefined: the first. If it is none of the session's any more, nothing is listed, and the part has no group. */
  readonly after: string | undefined;
};

export type WatchWord = "wchs" | "wchc" | "wchp";

/** The answer is a `part` with the numbers of watches, and for `wchc` the paths by session, for `wchp` the sessions by path. */
export type WatchesQuestion = {
  readonly kind: "listWatches";
  readonly question: number;
  readonly word: WatchWord;
  readonly bytesMax: number;
};

/** To the tree of a lane. The answer is a `part` with the paths of ephemerals by session. */
export type EphemeralsQuestion = {
  readonly kind: "listEphemerals";
  readonly question: number;
  readonly bytesMax: number;
};

/**
 * To the sessions actor. The answer is a `part`. For `dump`: of a leader, sessions by when they end; else in one group, each with its timeout.
 * For `sess`: of a leader, an entry of `ends` of a SessionsAnswer in JSON for each; else nothing.
 */
export type SessionsQuestion = {
  readonly kind: "listSessions";
  readonly word: "dump" | "sess";
  readonly question: number;
  readonly bytesMax: number;
};

/** From a gateway that was told to retire: it has no clients any more. */
export type ClientsGone = { readonly kind: "clientsGone"; readonly gateway: GatewayName };

/** Emitted under `clientsGone`: no gateway has clients any more. */
export type AllClientsGone = { readonly kind: "allClientsGone" };

export type AdminMessage =
  | Leadership
  | Peers
  | TreeMetrics
  | GatewayReport
  | ProcessReport
  | PeersReport
  | LaneReport
  | NatsReport
  | ActorReport
  | ServerReport
  | MeasuresReport
  | ElectionStep
  | SlowRequests
  | SlowStages
  | SlowRecord
  | Part
  | ClientsGone
  /** From a gateway. The answer is an `adminAnswer` to the actor `from`, with the gateway's own number `client` of the connection. */
  | {
      readonly kind: "fourLetterWord";
      readonly from: GatewayName;
      readonly client: number;
      readonly word: string;
      /** What stands behind the word: what `argumentIn` reads. */
      readonly argument?: string;
      /** The trace mask that `stmk` sets. */
      readonly mask?: bigint;
    }
  | FactsQuestion;

/**
 * What other actors are asked for before an answer is made: that of a four-letter word, or, for programs, `connections`, or `ephemerals`, those of a session.
 */
export type Gathered =
  | "stat"
  | "cons"
  | "crst"
  | "srst"
  | "dump"
  | "wchs"
  | "wchc"
  | "wchp"
  | "sess"
  | "busy"
  | "wtch"
  | "heat"
  | "connections"
  | "ephemerals";

/** From the server, for whoever asks over HTTP. The answer is emitted under `facts`. */
export type FactsQuestion = {
  readonly kind: "askFacts";
  /** Names the answer. */
  readonly request: number;
  /** Undefined: what the admin actor knows is enough. */
  readonly gather: Gathered | undefined;
  /** What `wtch` and `ephemerals` are about: what `argumentIn` reads. */
  readonly argument?: string;
  /** The trace mask that is to be set. */
  readonly mask?: bigint;
};

/** What a node's log says while it has no leader, and at the ends of that. */
export type ElectionEvent =
  /** The process has started. */
  | "started"
  | "looking"
  | "elected"
  | "establishing"
  | "leading"
  | "following"
  | "deposed"
  | "handingOver"
  | "takingOver"
  | "handedOver"
  | "handoverFailed";

/** From the server: what an actor has logged. */
export type ElectionStep = {
  readonly kind: "electionStep";
  readonly event: ElectionEvent;
  /** Unix milliseconds by the node's clock. */
  readonly atMs: number;
  readonly detail: EventDetail;
};

/** An election as one node has seen it, or a handover: from when it had no leader until it had one. The last may be under way. */
export type Election = {
  /** The first is the earliest. */
  readonly steps: readonly Omit<ElectionStep, "kind">[];
  /** How many steps before the last one have no place. */
  readonly omitted: number;
};

/** The answer to `elec`: the oldest first. */
export type ElectionsAnswer = { readonly node: ServerId; readonly elections: readonly Election[] };

/** Emitted under `facts`. */
export type Facts = {
  readonly kind: "facts";
  readonly request: number;
  readonly metrics: Metrics;
  readonly elections: readonly Election[];
  readonly slow: SlowSummary;
  /** What the other actors have answered. */
  readonly parts: readonly Part[];
};

export type AdminAnswer = {
  readonly kind: "adminAnswer";
  readonly client: number;
  readonly text: string;
};

/** How often something was read and written. */
export type Hitter<Key> = { readonly key: Key; readonly reads: number; readonly writes: number };

/** What a gateway has counted since it started. Times are in milliseconds. */
export type BusyCounts = {
  readonly connections: number;
  /** Requests and answers on the wire, pings among them. */
  readonly received: number;
  readonly sent: number;
  /** Requests that were answered, and how long they took together. */
  readonly answered: number;
  readonly totalMs: number;
  readonly outstanding: number;
};

/** What was asked for between two questions. */
export type BusyWindow = {
  readonly ms: number;
  readonly requests: number;
  readonly paths: readonly Hitter<string>[];
  readonly sessions: readonly Hitter<number>[];
  /** How many answers took up to so many milliseconds and longer than those of the entry before. */
  readonly latencies: readonly (readonly [upToMs: number, count: number])[];
};

/** A gateway's part of the answer to `busy`. Undefined: it has only begun to count. */
export type BusyPart = { readonly counts: BusyCounts; readonly window: BusyWindow | undefined };

/** The answer to `busy`. */
export type BusyAnswer = BusyCounts & {
  readonly node: number;
  /** Undefined: it lost its leader over the question. A node that serves nobody when it is asked has a text of words in the place of this. */
  readonly mode: Mode | undefined;
  /** By the node's clock, which begins anywhere. */
  readonly atMs: number;
  /** Its sessions are in hexadecimal. Null: all gateways have only begun to count. */
  readonly window:
    | (Omit<BusyWindow, "sessions"> & { readonly sessions: readonly Hitter<string>[] })
    | null;
};

/** A session that a connection of the node has. */
export type SessionFacts = {
  /** In hexadecimal. */
  readonly session: string;
  /** The client's address and port; null where NATS carries it. */
  readonly address: string | null;
  readonly timeoutMs: number;
  /** Requests that came and answers that left; over NATS the frames, which have several of them. */
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  /** Watches of all kinds, or over NATS change streams. */
  readonly watches: number;
  /** What its client has proved, as `scheme:who` without the hashes of passwords. */
  readonly identities: readonly string[];
  /** The zxid of the last answer, in hexadecimal, and what it was to; null where that is not kept. */
  readonly lastZxid: string | null;
  readonly lastOperation: string | null;
};
