/** The log actor's state. */
import type { Effect } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { EPOCH_NONE, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { EpochPromise } from "../log-sync/messages.ts";
import type { LogMessage, LogReport } from "./messages.ts";
import type { Procedure } from "./procedure.ts";
import { RecordIndex } from "./record-index.ts";

export type LogSettings = {
  readonly server: ServerId;
  readonly ensemble: string;
  readonly segmentBytes: number;
  readonly crc32: Crc32;
};

/** One file of records. The last segment of the list is the one that is written to. */
export type Segment = {
  readonly name: string;
  /** Number, in the index, of its first record. */
  readonly firstRecord: number;
  /** End of its last durable record. Everything from there on is zeros. */
  end: number;
  /** Of the file. */
  size: number;
};

/** A record that is not yet durable. */
export type PendingRecord = {
  readonly bytes: Uint8Array;
  readonly firstZxid: Zxid;
  readonly prevZxid: Zxid;
  readonly lastZxid: Zxid;
};

/** What changes the log or the promise: done strictly in the order of the messages. */
export type Change =
  | { readonly kind: "append"; readonly records: readonly PendingRecord[] }
  | Extract<LogMessage, { kind: "truncate" | "promise" }>;

export type ReadRequest = Extract<LogMessage, { kind: "read" }>;

export type LogState = {
  readonly settings: LogSettings;
  /** Zeros of one piece of preparation. */
  readonly zeros: Uint8Array;
  recovered: boolean;
  stopped: boolean;
  /** The disk work under way, and the tag of its current step. */
  running: Procedure | undefined;
  tag: number;
  /** Handed to the runtime at the end of the turn. */
  outbox: Effect[];

  readonly index: RecordIndex;
  readonly segments: Segment[];
  /** Size of the spare file; 0: there is none. */
  spareBytes: number;
  promise: EpochPromise;
  truncations: number;

  readonly changes: Change[];
  readonly reads: ReadRequest[];
  /** Where the log will end when all changes at hand are done. */
  plannedEnd: Zxid;
  /** A read was done last: the next turn is a change's. */
  readLast: boolean;
  flush: "none" | "scheduled" | "due";
  /** Bytes appended since zeros were last prepared. */
  unpreparedBytes: number;

  /** No append is taken until room is back. */
  full: boolean;
  /** Has been full since the start: an append sent before log-sync heard of it may still come, and does not follow. */
  wasFull: boolean;
  /** No room was found; nothing that grows a file is tried before the next probe. */
  awaitingRoom: boolean;
  /** The promise at the head of the changes found no room and waits for the next probe. */
  promiseStalled: boolean;
};

const PREPARE_BYTES_MAX = 1024 * 1024;

export function initialState(settings: LogSettings): LogState {
  return {
    settings,
    zeros: new Uint8Array(Math.min(PREPARE_BYTES_MAX, settings.segmentBytes)),
    recovered: false,
    stopped: false,
    running: undefined,
    tag: 0,
    outbox: [],
    index: new RecordIndex(),
    segments: [],
    spareBytes: 0,
    promise: { epoch: EPOCH_NONE, candidate: settings.server },
    truncations: 0,
    changes: [],
    reads: [],
    plannedEnd: ZXID_NONE,
    readLast: false,
    flush: "none",
    unpreparedBytes: 0,
    full: false,
    wasFull: false,
    awaitingRoom: false,
    promiseStalled: false,
  };
}

export function report(state: LogState, message: LogReport): void {
  state.outbox.push(tell("log-sync", message));
}

export function say(
  state: LogState,
  level: "debug" | "info" | "warn",
  event: string,
  detail: Readonly<Record<string, string | number>>,
): void {
  state.outbox.push({ kind: "log", level, event, detail });
}
