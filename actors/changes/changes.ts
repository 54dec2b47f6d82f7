/**
 * The changes actor: change streams for readers in the node's own process, fed by the tree of lane 1 as those of native clients
 * are. A reader is given one message of changes at a time; the next follows when it has taken that one. What comes meanwhile waits
 * here. When too much waits, the stream is closed at the tree and, once the reader has caught up, opened again where it stopped. So
 * a slow reader costs bounded memory and misses nothing, unless the tree has gone on without it, which it is then told (`compacted`).
 */
import { unreachable } from "../../protocol/assert.ts";
import { changeBytes, type Recursive } from "../../protocol/changes.ts";
import { STREAM_PENDING_BYTES_MAX } from "../../protocol/limits.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { tell } from "../inboxes.ts";
import { emit } from "../topics.ts";
import type { ChangesMessage, OpenReader, ReaderItem } from "./messages.ts";

export type ChangesOptions = {
  /** Bytes of changes that wait for a reader before its stream pauses. Default STREAM_PENDING_BYTES_MAX. */
  readonly pendingBytesMax?: number;
  /** Readers are given what not everybody may read too. Default false. */
  readonly readsAll?: boolean;
};

type Reader = {
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  /** Everything up to here has come from the tree; undefined until the tree has said where the stream begins. */
  after: Zxid | undefined;
  /** The tree's number for the stream while it is open there; another one each time, so that late messages of a closed one are known. */
  treeStream: number | undefined;
  /** It has taken what it was given. */
  ready: boolean;
  pending: ReaderItem[];
  pendingBytes: number;
};

export type ChangesState = {
  readonly pendingBytesMax: number;
  readonly readsAll: boolean;
  /** The node has served, so the tree has what was committed before. A stream that was opened earlier would begin in the past. */
  serves: boolean;
  readonly readers: Map<number, Reader>;
  readonly byTreeStream: Map<number, Reader>;
  /**
   * Readers whose streams are to be opened, in order. An opening makes the tree hand out all that its ring holds for the stream, so
   * one is under way at a time.
   */
  readonly waiting: Set<Reader>;
  /** The stream that the tree has not answered for. */
  opening: number | undefined;
  nextTreeStream: number;
};

type Turn = TurnOf<ChangesState, LocalEffect<never>>;

/** All readers read from this lane's tree; every lane holds the same. */
const TREE = "tree/1";
/** A message of changes for each reader and each message of records that the tree applies while this thread is busy. */
const MAILBOX_CAPACITY = 1_000_000;

export function changesActor(
  options: ChangesOptions = {},
): Actor<ChangesState, ChangesMessage, LocalEffect<never>> {
  const { pendingBytesMax = STREAM_PENDING_BYTES_MAX, readsAll = false } = options;
  return {
    name: "changes",
    supervision: "recover",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: () => ({
      pendingBytesMax,
      readsAll,
      serves: false,
      readers: new Map(),
      byTreeStream: new Map(),
      waiting: new Set(),
      opening: undefined,
      nextTreeStream: 1,
    }),
    receive,
    recover,
  };
}

function receive(turn: Turn, message: ChangesMessage): void {
  const { state } = turn;
  switch (message.kind) {
    case "openReader":
      openReader(turn, message);
      return;
    case "taken":
      taken(turn, message.reader);
      return;
    case "closeReader":
      closeReader(turn, message.reader);
      return;
    case "changes":
    case "compacted":
      streamCame(turn, message);
      return;
    case "leadership":
      if (message.role === "leading" || message.role === "following") state.serves = true;
      openNext(turn);
      return;
    case "treeReset":
      treeReset(turn);
      return;
    default:
      unreachable(message);
  }
}

/** Any reader may have missed something, so all of them end, and the tree forgets their streams, also those that are forgotten here. */
function recover({ state, effects }: Turn, message: ChangesMessage, error: unknown): void {
  const { readers, byTreeStream, waiting } = state;
  const numbers = new Set(readers.keys());
  if (message.kind === "openReader") numbers.add(message.reader);
  const item: ReaderItem = { kind: "failed", reason: String(error) };
  for (const reader of numbers) effects.push(emit("streamed", { kind: "streamed", reader, item }));
  readers.clear();
  byTreeStream.clear();
  waiting.clear();
  state.opening = undefined;
  effects.push(tell(TREE, { kind: "forget", ...OWNER }));
}

function openReader(turn: Turn, message: OpenReader): void {
  const { reader: number, path, recursive, after } = message;
  const reader: Reader = {
    ...{ number, path, recursive, after },
    treeStream: undefined,
    ready: true,
    pending: [],
    pendingBytes: 0,
  };
  turn.state.readers.set(number, reader);
  openAtTree(turn, reader);
}

function closeReader(turn: Turn, number: number): void {
  const reader = turn.state.readers.get(number);
  if (reader === undefined) return;
  turn.state.readers.delete(number);
  closeAtTree(turn, reader);
}

function taken(turn: Turn, number: number): void {
  const reader = turn.state.readers.get(number);
  if (reader === undefined) return;
  reader.ready = true;
  const given = giveNext(turn, reader);
  const isPaused = reader.treeStream === undefined && reader.pending.length === 0;
  if (isPaused && given?.kind !== "compacted") openAtTree(turn, reader);
}

function streamCame(
  turn: Turn,
  message: Extract<ChangesMessage, { readonly kind: "changes" | "compacted" }>,
): void {
  const { state } = turn;
  if (state.opening === message.stream) {
    state.opening = undefined;
    openNext(turn);
  }
  const reader = state.byTreeStream.get(message.stream);
  if (reader === undefined) return;
  if (message.kind === "compacted") {
    state.byTreeStream.delete(message.stream);
    reader.treeStream = undefined;
    reader.pending.push({ kind: "compacted", oldest: message.oldest });
  } else {
    const { changes, through } = message;
    // A later message says all that one without changes says.
    const last = reader.pending.at(-1);
    if (last?.kind === "changes" && last.changes.length === 0) reader.pending.pop();
    reader.pending.push({ kind: "changes", changes, through });
    reader.pendingBytes += bytesOf(changes);
    reader.after = through;
  }
  giveNext(turn, reader);
  if (reader.pendingBytes > state.pendingBytesMax) closeAtTree(turn, reader);
}

/** The tree has lost its streams with the state that it had. What a snapshot has passed over is `compacted` when they are opened again. */
function treeReset(turn: Turn): void {
  const { state } = turn;
  for (const [number, reader] of [...state.byTreeStream]) {
    // The tree gets to the one that it has not answered for after its reset.
    if (number === state.opening) continue;
    state.byTreeStream.delete(number);
    reader.treeStream = undefined;
    if (reader.pending.length === 0) openAtTree(turn, reader);
  }
}

/** Returns what the reader was given. */
function giveNext(turn: Turn, reader: Reader): ReaderItem | undefined {
  if (!reader.ready) return undefined;
  const item = reader.pending.shift();
  if (item === undefined) return undefined;
  reader.ready = false;
  if (item.kind === "changes") reader.pendingBytes -= bytesOf(item.changes);
  turn.effects.push(emit("streamed", { kind: "streamed", reader: reader.number, item }));
  return item;
}

function openAtTree(turn: Turn, reader: Reader): void {
  turn.state.waiting.add(reader);
  openNext(turn);
}

function openNext({ state, effects }: Turn): void {
  if (!state.serves || state.opening !== undefined) return;
  const [reader] = state.waiting;
  if (reader === undefined) return;
  state.waiting.delete(reader);
  const stream = state.nextTreeStream;
  state.nextTreeStream += 1;
  state.opening = stream;
  state.byTreeStream.set(stream, reader);
  reader.treeStream = stream;
  const { path, recursive, after } = reader;
  const { readsAll } = state;
  const asked = { ...OWNER, stream, path, recursive, after, readsAll };
  effects.push(tell(TREE, { kind: "openStream", ...asked }));
}

function closeAtTree({ state, effects }: Turn, reader: Reader): void {
  state.waiting.delete(reader);
  const { treeStream: stream } = reader;
  if (stream === undefined) return;
  reader.treeStream = undefined;
  state.byTreeStream.delete(stream);
  effects.push(tell(TREE, { kind: "closeStream", ...OWNER, stream }));
}

/** To the tree all readers are one client. */
const OWNER = { from: "changes", client: 0 } as const;

function bytesOf(changes: readonly Parameters<typeof changeBytes>[0][]): number {
  return changes.reduce((sum, change) => sum + changeBytes(change), 0);
}
