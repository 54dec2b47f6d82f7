/**
 * Change streams: who wants which changes, and what each has been told. A stream follows one znode, or with `recursive`
 * also everything below it.
 */
import type { GatewayName } from "../../gateway/messages.ts";
import type { Change } from "../../../protocol/reads.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { TreeMessage, TreeReply } from "../messages.ts";
import {
  addBranch,
  createBranch,
  removeBranch,
  visitAbove,
  type Branch,
} from "../store/path-branches.ts";
import { visitChanges } from "../store/change-ring.ts";
import type { TreeTurn } from "../state.ts";

export type Stream = {
  readonly from: GatewayName;
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
  turn: TreeTurn,
  message: Extract<TreeMessage, { kind: "openStream" }>,
): void {
  const { streams, ring, lastApplied: applied } = turn.state;
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
    tellCompacted(turn, stream);
    return;
  }
  addStream(streams, stream);
  if (after < applied) {
    visitChanges(ring, after, (changedPath, _zxid, build) => {
      if (matches(stream, changedPath)) stream.pending.push(build());
    });
  }
  tellChanges(turn, stream);
}

function matches(stream: Stream, path: string): boolean {
  if (path === stream.path) return true;
  if (!stream.recursive) return false;
  return stream.path === "/" || path.startsWith(`${stream.path}/`);
}

function clientKey(from: GatewayName, client: number): string {
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

export function closeStream(
  streams: Streams,
  from: GatewayName,
  client: number,
  number: number,
): void {
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

export function closeStreams(streams: Streams, from: GatewayName, client: number): void {
  const ofClient = streams.byClient.get(clientKey(from, client));
  if (ofClient === undefined) return;
  for (const number of ofClient.keys()) closeStream(streams, from, client, number);
}

/** Hands out what has been applied since the last time. Called between records, so every zxid is complete. */
export function flushStreams(turn: TreeTurn, operations: number): void {
  const { streams, ring, lastApplied: applied } = turn.state;
  const since = streams.flushed;
  streams.flushed = applied;
  if (streams.byPath.size === 0) return;
  if (since < ring.oldest) compactAll(turn);
  const from = since < ring.oldest ? ring.oldest : since;
  const touched = new Set<Stream>();
  visitChanges(ring, from, (path, zxid, build) => gather(streams, touched, path, zxid, build));
  for (const stream of touched) tellChanges(turn, stream);
  streams.operationsUnmarked += operations;
  if (streams.operationsUnmarked < PROGRESS_OPERATIONS) return;
  streams.operationsUnmarked = 0;
  for (const ofPath of streams.byPath.values()) {
    for (const stream of ofPath) {
      if (stream.position < applied) tellChanges(turn, stream);
    }
  }
}

/** So much was applied at once that the ring has lost some of it: who needs that cannot go on. */
function compactAll(turn: TreeTurn): void {
  const { streams, ring } = turn.state;
  for (const ofClient of [...streams.byClient.values()]) {
    for (const stream of [...ofClient.values()]) {
      if (stream.position >= ring.oldest) continue;
      closeStream(streams, stream.from, stream.client, stream.stream);
      tellCompacted(turn, stream);
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
function tellChanges(turn: TreeTurn, stream: Stream): void {
  const { lastApplied: applied } = turn.state;
  // A client may come from a node that is ahead of this one.
  if (applied > stream.position) stream.position = applied;
  let changes: Change[] = [];
  for (const change of stream.pending) {
    const last = changes.at(-1);
    if (last !== undefined && changes.length >= MESSAGE_CHANGES_MIN && last.zxid !== change.zxid) {
      tellStream(turn, stream, changes, last.zxid);
      changes = [];
    }
    changes.push(change);
  }
  stream.pending = [];
  tellStream(turn, stream, changes, stream.position);
}

function tellStream(
  { effects }: TreeTurn,
  to: Stream,
  changes: readonly Change[],
  through: Zxid,
): void {
  const { client, stream } = to;
  const message: TreeReply = { kind: "changes", client, stream, changes, through };
  effects.push(tell(to.from, message));
}

function tellCompacted({ state, effects }: TreeTurn, to: Stream): void {
  const { client, stream } = to;
  const { oldest } = state.ring;
  const message: TreeReply = { kind: "compacted", client, stream, oldest };
  effects.push(tell(to.from, message));
}
