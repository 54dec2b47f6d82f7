/**
 * Change streams: who wants which changes, and what each has been told. A stream follows one znode, or with `recursive`
 * also everything below it.
 */
import type { Change } from "../../../protocol/reads.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import type { TreeMessage, TreeReply } from "../messages.ts";
import {
  addBranch,
  createBranch,
  removeBranch,
  visitAbove,
  type Branch,
} from "../store/path-branches.ts";
import { visitChanges, type ChangeRing } from "../store/change-ring.ts";

export type Stream = {
  readonly from: string;
  readonly client: number;
  readonly stream: number;
  readonly path: string;
  readonly recursive: boolean;
  /** Everything up to here has been told. */
  position: Zxid;
  pending: Change[];
};

export type Streams = {
  readonly byPath: Map<string, Set<Stream>>;
  /** By the client's key, then by its own number of the stream. */
  readonly byClient: Map<string, Map<number, Stream>>;
  /** Those that follow what is below their paths too. */
  readonly recursive: Branch<Stream>;
  /** Changes up to here have been handed out. */
  flushed: Zxid;
  /** Operations applied since every stream was last told where it stands. */
  operationsUnmarked: number;
};

/** A message of changes ends at the first zxid that makes it at least this long. */
const MESSAGE_CHANGES_MIN = 1024;
/** Operations after which streams without changes of their own get a progress mark. */
const PROGRESS_OPERATIONS = 1024;

export function createStreams(): Streams {
  return {
    byPath: new Map(),
    byClient: new Map(),
    recursive: createBranch(),
    flushed: ZXID_NONE,
    operationsUnmarked: 0,
  };
}

export function openStream(
  streams: Streams,
  ring: ChangeRing,
  applied: Zxid,
  message: Extract<TreeMessage, { kind: "openStream" }>,
  effects: Effect[],
): void {
  const { from, client, stream: number, path, recursive } = message;
  closeStream(streams, from, client, number);
  const after = message.after ?? applied;
  const stream: Stream = {
    from,
    client,
    stream: number,
    path,
    recursive,
    position: after,
    pending: [],
  };
  if (after < ring.oldest) {
    tellCompacted(stream, ring.oldest, effects);
    return;
  }
  addStream(streams, stream);
  if (after < applied) {
    visitChanges(ring, after, (changedPath, _zxid, build) => {
      if (matches(stream, changedPath)) stream.pending.push(build());
    });
  }
  tellChanges(stream, applied, effects);
}

function matches(stream: Stream, path: string): boolean {
  if (path === stream.path) return true;
  if (!stream.recursive) return false;
  return stream.path === "/" || path.startsWith(`${stream.path}/`);
}

function clientKey(from: string, client: number): string {
  return `${client} ${from}`;
}

function addStream(streams: Streams, stream: Stream): void {
  const key = clientKey(stream.from, stream.client);
  const ofClient = streams.byClient.get(key) ?? new Map<number, Stream>();
  streams.byClient.set(key, ofClient);
  ofClient.set(stream.stream, stream);
  const ofPath = streams.byPath.get(stream.path) ?? new Set<Stream>();
  streams.byPath.set(stream.path, ofPath);
  ofPath.add(stream);
  if (stream.recursive) addBranch(streams.recursive, stream.path, stream);
}

export function closeStream(streams: Streams, from: string, client: number, number: number): void {
  const key = clientKey(from, client);
  const ofClient = streams.byClient.get(key);
  const stream = ofClient?.get(number);
  if (ofClient === undefined || stream === undefined) return;
  ofClient.delete(number);
  if (ofClient.size === 0) streams.byClient.delete(key);
  const ofPath = streams.byPath.get(stream.path);
  ofPath?.delete(stream);
  if (ofPath?.size === 0) streams.byPath.delete(stream.path);
  if (stream.recursive) removeBranch(streams.recursive, stream.path, stream);
}

export function closeStreams(streams: Streams, from: string, client: number): void {
  const ofClient = streams.byClient.get(clientKey(from, client));
  if (ofClient === undefined) return;
  for (const number of ofClient.keys()) closeStream(streams, from, client, number);
}

/** Hands out what has been applied since the last time. Called between records, so every zxid is complete. */
export function flushStreams(
  streams: Streams,
  ring: ChangeRing,
  applied: Zxid,
  operations: number,
  effects: Effect[],
): void {
  const since = streams.flushed;
  streams.flushed = applied;
  if (streams.byPath.size === 0) return;
  if (since < ring.oldest) compactAll(streams, ring, effects);
  const from = since < ring.oldest ? ring.oldest : since;
  const touched = new Set<Stream>();
  visitChanges(ring, from, (path, zxid, build) => gather(streams, touched, path, zxid, build));
  for (const stream of touched) tellChanges(stream, applied, effects);
  streams.operationsUnmarked += operations;
  if (streams.operationsUnmarked < PROGRESS_OPERATIONS) return;
  streams.operationsUnmarked = 0;
  for (const ofPath of streams.byPath.values()) {
    for (const stream of ofPath) {
      if (stream.position < applied) tellChanges(stream, applied, effects);
    }
  }
}

/** So much was applied at once that the ring has lost some of it: who needs that cannot go on. */
function compactAll(streams: Streams, ring: ChangeRing, effects: Effect[]): void {
  for (const ofClient of [...streams.byClient.values()]) {
    for (const stream of [...ofClient.values()]) {
      if (stream.position >= ring.oldest) continue;
      closeStream(streams, stream.from, stream.client, stream.stream);
      tellCompacted(stream, ring.oldest, effects);
    }
  }
}

function gather(
  streams: Streams,
  touched: Set<Stream>,
  path: string,
  zxid: Zxid,
  build: () => Change,
): void {
  let change: Change | undefined;
  const give = (stream: Stream): void => {
    if (zxid <= stream.position) return;
    change ??= build();
    stream.pending.push(change);
    touched.add(stream);
  };
  streams.byPath.get(path)?.forEach(give);
  visitAbove(streams.recursive, path, give);
}

/** Empties `pending` into messages that end between zxids; the last one covers everything up to `applied`. */
function tellChanges(stream: Stream, applied: Zxid, effects: Effect[]): void {
  // A client may come from a node that is ahead of this one.
  if (applied > stream.position) stream.position = applied;
  let changes: Change[] = [];
  for (const change of stream.pending) {
    const last = changes.at(-1);
    if (last !== undefined && changes.length >= MESSAGE_CHANGES_MIN && last.zxid !== change.zxid) {
      tellStream(stream, changes, last.zxid, effects);
      changes = [];
    }
    changes.push(change);
  }
  stream.pending = [];
  tellStream(stream, changes, stream.position, effects);
}

function tellStream(
  to: Stream,
  changes: readonly Change[],
  through: Zxid,
  effects: Effect[],
): void {
  const { client, stream } = to;
  const message: TreeReply = { kind: "changes", client, stream, changes, through };
  effects.push({ kind: "tell", to: to.from, message });
}

function tellCompacted(to: Stream, oldest: Zxid, effects: Effect[]): void {
  const { client, stream } = to;
  const message: TreeReply = { kind: "compacted", client, stream, oldest };
  effects.push({ kind: "tell", to: to.from, message });
}
