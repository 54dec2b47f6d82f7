/** What the ZooKeeper gateway of a lane knows: its connections, and what all of them share. */
import type { ConnectionEffect, LocalEffect } from "../../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../../runtime/turn.ts";
import type { GatewayName, ZooKeeperTimer } from "../messages.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { JuteReader, JuteWriter } from "../../../protocol/jute.ts";
import { GATEWAY_HELD_BYTES_MAX } from "../../../protocol/limits.ts";
import { SERVED_WORDS } from "../../../protocol/zookeeper/words.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import type { ConnectRequest } from "../../../protocol/zookeeper/handshake.ts";
import { type Epoch, EPOCH_NONE, ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import type { GatewayReport } from "../../admin/messages.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import { type Contact, newContact } from "../contact.ts";
import { RequestQueue } from "./queue.ts";
import type { Note } from "./notes.ts";

export type ZooKeeperGatewayOptions = {
  /** The lane whose connections these are: its tree and its submitter serve them. */
  readonly lane: number;
  /** Shortest session timeout granted; who asks for less gets this. */
  readonly minSessionTimeoutMs: number;
  /** Longest session timeout granted; who asks for more gets this. */
  readonly maxSessionTimeoutMs: number;
  /**
   * How long connections are kept while no leader is known. Default 2000, and always less than a third of the connection's
   * session timeout. Longer hides slower elections from clients.
   */
  readonly failoverGraceMs?: number;
  /** How long a connection may take to ask for its session. Default 10_000; then it is closed. */
  readonly handshakeTimeoutMs?: number;
  /** Bytes of requests, answers and unsent bytes of all connections; beyond it they wait. Default GATEWAY_HELD_BYTES_MAX. */
  readonly heldBytesMax?: number;
  /** Four-letter words that are answered, `*` all. Default all that zooid serves. */
  readonly fourLetterWords?: readonly string[];
};

export type Phase =
  /** Has not yet sent its ConnectRequest. */
  | { readonly kind: "opened"; readonly deadlineMs: number }
  /** Asked for a session while no leader was known. */
  | { readonly kind: "held"; readonly request: ConnectRequest; readonly timeoutMs: number }
  /** Asked for a session that is there already: its password is being looked at. */
  | {
      readonly kind: "checking";
      readonly request: ConnectRequest;
      readonly timeoutMs: number;
      readonly deadlineMs: number;
      readonly sinceMs: number;
    }
  /** Its session is being created or attached. `supersededAt`: the session was attached elsewhere or closed at or after. */
  | {
      readonly kind: "connecting";
      readonly request: ConnectRequest;
      readonly timeoutMs: number;
      supersededAt: number;
    }
  | {
      readonly kind: "attached";
      readonly session: SessionId;
      readonly attachedAt: Zxid;
      readonly timeoutMs: number;
    }
  /** Asked a four-letter word, which the admin actor answers. */
  | { readonly kind: "word"; readonly deadlineMs: number }
  /** Nothing more is sent or read. */
  | { readonly kind: "closing" };

export type Connection = {
  readonly number: number;
  readonly remoteAddress: string;
  readonly frames: FrameReader;
  readonly queue: RequestQueue;
  phase: Phase;
  /** Of the last reply: a refusal, which has no zxid of its own, shows nothing newer than the client has seen. */
  repliedZxid: Zxid;
  /** The leader counts the session's timeout from this time or later. */
  heardMs: number;
  /** A closeSession has been read: what comes after it is not. */
  ending: boolean;
  paused: boolean;
  /** Bytes written since the last `drained`. */
  unsentBytes: number;
  received: number;
  sent: number;
};

/** The times of requests that were answered, in milliseconds. */
export type Latency = { count: number; total: number; min: number; max: number };

export type State = {
  readonly name: GatewayName;
  readonly lane: number;
  readonly options: Required<ZooKeeperGatewayOptions>;
  readonly words: ReadonlySet<string>;
  readonly connections: Map<number, Connection>;
  /** In phase `opened`, `word` or `checking`, oldest first: each has a deadline. */
  readonly opened: Set<Connection>;
  readonly sessions: Map<SessionId, Connection>;
  /** Sessions that a connection in phase `connecting` asked for. */
  readonly attaching: Map<SessionId, Set<Connection>>;
  readonly contact: Contact;
  /** With answers that may not leave before the leader has heard of the session. */
  readonly waiting: Set<Connection>;
  /** When the waiting timer fires; undefined while it does not run. */
  waitingDueMs: number | undefined;
  touchTimerRuns: boolean;
  /** A leader is known and can commit. */
  serving: boolean;
  /** The leader's, while one is known. */
  epoch: Epoch;
  leaderlessSinceMs: number;
  /** The tree takes no new session. */
  sessionsFull: boolean;
  /** For writes of clients, on the disks that hold them. */
  admission: WriteAdmission;
  /** When the grace timer fires; undefined while it does not run. */
  graceDueMs: number | undefined;
  /** The last that this lane's replica is known to have applied. */
  zxid: Zxid;
  /** Bytes held for all connections (`held.ts`), and who waits because they are too many. */
  heldBytes: number;
  readonly heldBack: Set<Connection>;
  /** Clients that the listener turned away. */
  refused: number;
  received: number;
  sent: number;
  readonly latency: Latency;
  readonly notes: Map<string, Note>;
  /** Four-letter words of this turn, and who asked them. */
  asked: { readonly client: number; readonly word: string }[];
  reported: Omit<GatewayReport, "clients"> | undefined;
  readonly reader: JuteReader;
  readonly writer: JuteWriter;
};

/** The one actor that writes to client connections. */
export type ZooKeeperGatewayEffect = LocalEffect<ZooKeeperTimer> | ConnectionEffect;
export type Turn = TurnOf<State, ZooKeeperGatewayEffect>;

/** What is enough to write, log and close. */
export type Output = Pick<Turn, "state" | "effects">;

const FAILOVER_GRACE_MS = 2000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

export function initialState(options: ZooKeeperGatewayOptions, nowMs: number): State {
  return {
    name: `zookeeper/${options.lane}`,
    lane: options.lane,
    options: {
      failoverGraceMs: FAILOVER_GRACE_MS,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      heldBytesMax: GATEWAY_HELD_BYTES_MAX,
      fourLetterWords: SERVED_WORDS,
      ...options,
    },
    words: new Set(options.fourLetterWords ?? SERVED_WORDS),
    connections: new Map(),
    opened: new Set(),
    sessions: new Map(),
    attaching: new Map(),
    contact: newContact(),
    waiting: new Set(),
    waitingDueMs: undefined,
    touchTimerRuns: false,
    serving: false,
    epoch: EPOCH_NONE,
    leaderlessSinceMs: nowMs,
    sessionsFull: false,
    admission: "all",
    graceDueMs: undefined,
    zxid: ZXID_NONE,
    heldBytes: 0,
    heldBack: new Set(),
    refused: 0,
    received: 0,
    sent: 0,
    latency: { count: 0, total: 0, min: 0, max: 0 },
    notes: new Map(),
    asked: [],
    reported: undefined,
    reader: new JuteReader(),
    writer: new JuteWriter(),
  };
}

export function newConnection(
  number: number,
  remoteAddress: string,
  deadlineMs: number,
): Connection {
  return {
    number,
    remoteAddress,
    frames: new FrameReader(),
    queue: new RequestQueue(),
    phase: { kind: "opened", deadlineMs },
    repliedZxid: ZXID_NONE,
    heardMs: Number.NEGATIVE_INFINITY,
    ending: false,
    paused: false,
    unsentBytes: 0,
    received: 0,
    sent: 0,
  };
}

/** `10.0.0.1:4711` without its port. */
export function addressOf(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(":");
  return colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
}
