/**
 * Everything a lane's tree knows. `nodes`, `sessions`, `submitters`, `skipped`, `configuration`, `lastApplied` and `lastTimeMs` are replicated: equal on
 * every node, and what a snapshot holds.
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
import { createZnodes, type Znodes } from "./store/znodes.ts";
import { createRing, type ChangeRing } from "./store/change-ring.ts";
import type { SessionCheck } from "./apply/session-checks.ts";
import type { Sessions } from "./store/sessions.ts";
import type { Cut } from "./snapshot/cut.ts";
import { NO_LIMITS, type TreeLimits } from "./store/size.ts";
import type { Loading } from "./snapshot/load.ts";
import { createStreams, type Streams } from "./watch/streams.ts";
import { createSubmitters, type Submitters } from "./store/submitters.ts";
import { createWatches, type Watches } from "./watch/watches.ts";

export type TreeOptions = {
  readonly server: ServerId;
  readonly lane: number;
  readonly crc32: Crc32;
  /** Bytes of recent changes kept for change streams. Default CHANGE_RING_BYTES_MAX. Older ones are answered `compacted`. */
  readonly ringBytesMax?: number;
  /**
   * Bytes at which a chunk of a snapshot ends. Default SNAPSHOT_CHUNK_BYTES_SOFT_MAX. Larger ones take longer turns, in which
   * nothing else is done.
   */
  readonly snapshotChunkBytes?: number;
  /** How much it may take before what grows it is refused. Default no limit. */
  readonly limits?: TreeLimits;
  /** Default WATCHES_PER_CONNECTION_MAX. */
  readonly watchesPerConnectionMax?: number;
  /** Operations that failed here before and are not applied, by an operator's word. Default none. */
  readonly skips?: ReadonlySet<Zxid>;
};

/** A tree asks for nothing but messages to other actors of its node, values of its topics and lines of the log. */
export type TreeEffect = LocalEffect<never>;
export type TreeTurn = Turn<TreeState, TreeEffect>;

export type TreeState = {
  readonly options: Required<TreeOptions>;
  /** As it was told last. */
  memory: TreeMemory;
  /** Reads that ask for a watch are refused, and it was logged. */
  watchesFull: boolean;
  lastApplied: Zxid;
  /** Of the last record applied. */
  lastTimeMs: number;
  znodes: Znodes;
  sessions: Sessions;
  submitters: Submitters;
  /** Operations that were not applied although they are committed, in order. */
  skipped: Zxid[];
  /** The latest that a record applied here names. Undefined: none did. */
  configuration: Configuration | undefined;
  ring: ChangeRing;
  watches: Watches;
  streams: Streams;
  /** Of sessions that this replica is too far behind to know. */
  readonly sessionChecks: Set<SessionCheck>;
  /** Sessions changed by the `committed` message that is being applied. */
  readonly sessionsTouched: Set<SessionId>;
  /** The snapshot that is being cut. */
  cut: Cut | undefined;
  /** Snapshots begun so far. */
  cuts: number;
  /** The snapshot that is being loaded. */
  loading: Loading | undefined;
};

export function createState(options: TreeOptions): TreeState {
  const {
    ringBytesMax = CHANGE_RING_BYTES_MAX,
    snapshotChunkBytes = SNAPSHOT_CHUNK_BYTES_SOFT_MAX,
    watchesPerConnectionMax = WATCHES_PER_CONNECTION_MAX,
    limits = NO_LIMITS,
    skips = new Set(),
  } = options;
  const sizes = { ringBytesMax, snapshotChunkBytes, watchesPerConnectionMax, limits };
  return {
    options: { ...options, ...sizes, skips },
    memory: { kind: "treeMemory", full: false, sessionsFull: false },
    watchesFull: false,
    lastApplied: ZXID_NONE,
    lastTimeMs: 0,
    znodes: createZnodes(),
    sessions: new Map(),
    submitters: createSubmitters(),
    skipped: [],
    configuration: undefined,
    ring: createRing(ringBytesMax),
    watches: createWatches(),
    streams: createStreams(),
    sessionChecks: new Set(),
    sessionsTouched: new Set(),
    cut: undefined,
    cuts: 0,
    loading: undefined,
  };
}
