/**
 * The state of a lane's tree. `znodes`, `sessions`, `submitters`, `skipped`, `configuration`, `lastApplied` and `lastTimeMs` are the
 * replicated state: at the same zxid they are equal on every node, and a snapshot consists of them.
 */
import type { Configuration } from "../../protocol/configuration.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import {
  CHANGE_RING_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_SOFT_MAX,
  WATCHES_PER_CONNECTION_MAX,
} from "../../protocol/limits.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn } from "../../runtime/turn.ts";
import type { TreeMemory } from "./messages.ts";
import { SLAB_BYTES } from "./store/arena.ts";
import { createZnodes } from "./store/first-znodes.ts";
import type { Znodes } from "./store/znodes.ts";
import { createRing, type ChangeRing } from "./store/change-ring.ts";
import type { EndedConnections } from "../waiting-reads.ts";
import type { BatchReads } from "./apply/reads-behind.ts";
import type { SessionCheck } from "./apply/session-checks.ts";
import type { ReapWalk } from "./reap-walk.ts";
import { REMOVAL_LIMITS, type RemovalLimits } from "./removal-limits.ts";
import type { KeptTotal } from "./store/requests.ts";
import type { Sessions } from "./store/sessions.ts";
import type { Cut } from "./snapshot/cut.ts";
import { Quotas } from "./quotas/quotas.ts";
import { NO_LIMITS, type TreeLimits } from "./store/size.ts";
import type { Loading } from "./snapshot/load.ts";
import { createStreams, type Streams } from "./watch/streams.ts";
import { createSubmitters, type Submitters } from "./store/submitters.ts";
import { createWatches, type Watches } from "./watch/watches.ts";

export type TreeOptions = {
  readonly server: ServerId;
  readonly lane: number;
  readonly crc32: Crc32;
  /**
   * How many bytes of recent changes are kept for change streams. A stream that asks for older ones is answered `compacted`. Default
   * CHANGE_RING_BYTES_MAX.
   */
  readonly ringBytesMax?: number;
  /**
   * The number of bytes at which a chunk of a snapshot ends. A larger chunk makes a longer turn, in which the lane does nothing else.
   * Default SNAPSHOT_CHUNK_BYTES_SOFT_MAX.
   */
  readonly snapshotChunkBytes?: number;
  /** The size of a slab for names and data, in bytes. Entries of a small slab move more often. Default SLAB_BYTES, which is the most. */
  readonly slabBytes?: number;
  /** How large the tree may be before writes that grow it are refused. Default no limit. */
  readonly limits?: TreeLimits;
  /** How much removeRecursives may look at and delete. Default REMOVAL_LIMITS, which every real node has. */
  readonly removals?: RemovalLimits;
  /** How many watches a connection may have. A read that asks for one more is refused. Default WATCHES_PER_CONNECTION_MAX. */
  readonly watchesPerConnectionMax?: number;
  /** The lines of `/zookeeper/config`, one for each member. Default none, which leaves it empty, as of a ZooKeeper alone. */
  readonly servers?: readonly string[];
  /** Operations that an operator has told every node to skip because they cannot be applied (decision 12). Default none. */
  readonly skips?: ReadonlySet<Zxid>;
};

/** A tree sends messages to actors of its own node, emits topics and writes to the node's log; it has no timers and no peers. */
export type TreeEffect = LocalEffect<never>;
export type TreeTurn = Turn<TreeState, TreeEffect>;

export type TreeState = {
  readonly options: Required<TreeOptions>;
  /** When the actor was started, by the wall clock. */
  readonly startedWallMs: number;
  /** How many znodes reads have looked at so as to list some of them. It only grows. */
  lookedAt: number;
  /** The value that was last emitted. */
  memory: TreeMemory;
  /** Whether reads that ask for a watch are refused because the lane has too many. The log has said so. */
  watchesFull: boolean;
  lastApplied: Zxid;
  /** The time of the last applied record, in milliseconds since 1970 by the clock of the leader that made it. */
  lastTimeMs: number;
  znodes: Znodes;
  /** Which paths have a quota, as the znodes have it. */
  quotas: Quotas;
  sessions: Sessions;
  /** What the results take that are kept for sessions. */
  kept: KeptTotal;
  submitters: Submitters;
  /** The committed operations that were skipped, in order. */
  skipped: Zxid[];
  /** The latest configuration in an applied record. Undefined: no record had one. */
  configuration: Configuration | undefined;
  ring: ChangeRing;
  watches: Watches;
  streams: Streams;
  /** Reads that wait for a batch of this lane, in the order of the batches. */
  behind: BatchReads[];
  /** Connections that ended while reads waited: nobody reads their answers, and their watches would stay. */
  readonly ended: EndedConnections;
  /** Checks of sessions that this replica is too far behind to know. */
  readonly sessionChecks: Set<SessionCheck>;
  /** The sessions that the `committed` message in hand has changed so far. */
  readonly sessionsTouched: Set<SessionId>;
  /** The snapshot that is being cut. */
  cut: Cut | undefined;
  /** How many snapshots were begun so far. */
  cuts: number;
  /** The snapshot that is being loaded. */
  loading: Loading | undefined;
  /** How far the znodes with a lifetime were looked at for the reaper. */
  reapWalk: ReapWalk | undefined;
};

/** Makes a tree. `key` is secret and random, of `HASH_KEY_BYTES`. */
export function createState(options: TreeOptions, key: Uint8Array, startedWallMs = 0): TreeState {
  const {
    ringBytesMax = CHANGE_RING_BYTES_MAX,
    snapshotChunkBytes = SNAPSHOT_CHUNK_BYTES_SOFT_MAX,
    watchesPerConnectionMax = WATCHES_PER_CONNECTION_MAX,
    slabBytes = SLAB_BYTES,
    limits = NO_LIMITS,
    removals = REMOVAL_LIMITS,
    servers = [],
    skips = new Set(),
  } = options;
  const sizes = { ringBytesMax, snapshotChunkBytes, slabBytes, watchesPerConnectionMax, limits };
  return {
    options: { ...options, ...sizes, removals, servers, skips },
    startedWallMs,
    lookedAt: 0,
    memory: { kind: "treeMemory", full: false, sessionsFull: false },
    watchesFull: false,
    lastApplied: ZXID_NONE,
    lastTimeMs: 0,
    znodes: createZnodes({ key, slabBytes }),
    quotas: new Quotas(),
    sessions: new Map(),
    kept: { bytes: 0 },
    submitters: createSubmitters(),
    skipped: [],
    configuration: undefined,
    ring: createRing(ringBytesMax),
    watches: createWatches(),
    streams: createStreams(),
    behind: [],
    ended: new Set(),
    sessionChecks: new Set(),
    sessionsTouched: new Set(),
    cut: undefined,
    cuts: 0,
    loading: undefined,
    reapWalk: undefined,
  };
}
