/**
 * Change streams: which client wants which changes, and how far each stream has come. A stream follows one znode, or with `recursive`
 * everything below it too.
 */
import { isPublic } from "../../../protocol/access.ts";
import type { Change } from "../../../protocol/reads.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { StreamOwner, TreeMessage, TreeReply } from "../messages.ts";
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
  readonly from: StreamOwner;
  /** Its reader may read everything; else what everybody may. */
  readonly readsAll: boolean;
  readonly client: number;
  readonly stream: number;
  readonly path: string;
  readonly recursive: boolean;
  /** The client has been sent every change of this stream up to this zxid. `pending` holds changes after it. */
  position: Zxid;
  pending: Change[];
};

export type Streams = {
  readonly byPath: Map<string, Set<Stream>>;
  /** Maps a client's key and the client's own number of the stream to the stream. */
  readonly byClient: Map<string, Map<number, Stream>>;
  /** The streams that follow what is below their paths too. */
  readonly recursive: Branch<Stream>;
  /** All changes up to this zxid have been given to the streams. */
  flushed: Zxid;
  /** How many operations were applied since progress was last reported to every stream. */
  operationsUnmarked: number;
};

/** A message of changes ends with the zxid at which it has at least this many. */
const MESSAGE_CHANGES_MIN = 1024;
/** The number of operations after which progress is reported to streams without changes. */
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
  const { from, client, stream: number, path, recursive, readsAll = false } = message;
  closeStream(streams, from, client, number);
  const after = message.after ?? applied;
  const stream: Stream = {
    from,
    readsAll,
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
    visitChanges(ring, after, (changedPath, _zxid, build, wasClosed) => {
      if (!matches(stream, changedPath)) return;
      if (readsAll || !isHidden(turn, changedPath, wasClosed)) stream.pending.push(build());
    });
  }
  tellChanges(turn, stream);
}

function matches(stream: Stream, path: string): boolean {
  if (path === stream.path) return true;
  if (!stream.recursive) return false;
  return stream.path === "/" || path.startsWith(`${stream.path}/`);
}

function clientKey(from: StreamOwner, client: number): string {
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

export function hasStreams(streams: Streams, from: StreamOwner): boolean {
  const clients = [...streams.byClient.values()];
  return clients.some((ofClient) => [...ofClient.values()].some((each) => each.from === from));
}

export function closeStream(
  streams: Streams,
  from: StreamOwner,
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

export function closeStreams(streams: Streams, from: StreamOwner, client: number): void {
  const ofClient = streams.byClient.get(clientKey(from, client));
  if (ofClient === undefined) return;
  for (const number of ofClient.keys()) closeStream(streams, from, client, number);
}

/** Gives each stream what was applied since the last flush. It is called between records, so all changes of a zxid are there. */
export function flushStreams(turn: TreeTurn, operations: number): void {
  const { streams, ring, lastApplied: applied } = turn.state;
  const since = streams.flushed;
  streams.flushed = applied;
  if (streams.byPath.size === 0) return;
  if (since < ring.oldest) compactAll(turn);
  const from = since < ring.oldest ? ring.oldest : since;
  const touched = new Set<Stream>();
  visitChanges(ring, from, (path, zxid, build, wasClosed) => {
    const hidden = isHidden(turn, path, wasClosed);
    gather(streams, touched, { path, zxid, build, hidden });
  });
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

/** More was applied at once than the ring holds. A stream that needs what the ring has lost is closed. */
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

type Gathered = {
  readonly path: string;
  readonly zxid: Zxid;
  readonly build: () => Change;
  readonly hidden: boolean;
};

/**
 * Whether the change is not for everybody: the znode's list did not let everybody read when it had changed, or does not now. A list may
 * have changed since, while the change waited in the ring.
 */
function isHidden({ state: { znodes } }: TreeTurn, path: string, wasClosed: boolean): boolean {
  if (wasClosed) return true;
  if (!znodes.hasClosed) return false;
  const znode = znodes.find(path);
  return znode !== undefined && !isPublic(znodes.acl(znode));
}

function gather(
  streams: Streams,
  touched: Set<Stream>,
  { path, zxid, build, hidden }: Gathered,
): void {
  let change: Change | undefined;
  const give = (stream: Stream): void => {
    if (zxid <= stream.position || (hidden && !stream.readsAll)) return;
    change ??= build();
    stream.pending.push(change);
    touched.add(stream);
  };
  streams.byPath.get(path)?.forEach(give);
  visitAbove(streams.recursive, path, give);
}

/** Sends what is in `pending`, in messages that never divide a zxid. After the last one the stream has come to `lastApplied`. */
function tellChanges(turn: TreeTurn, stream: Stream): void {
  const { lastApplied: applied } = turn.state;
  // A client may come from a node that is ahead of this one, and then its position is after what is applied here.
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
