/**
 * Change streams: which client wants which changes, and how far each stream has come. A stream follows one znode, or with `recursive`
 * everything below it too, or its children.
 */
import type { Recursive } from "../../../protocol/changes.ts";
import { ANYONE } from "../../../protocol/identities.ts";
import { parentOf } from "../../../protocol/paths.ts";
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
import { visitChanges, zxidBefore } from "../store/change-ring.ts";
import type { TreeTurn } from "../state.ts";
import { type Guard, guardOf, mayRead, mayReadBy, type Readers, readersOf } from "./readers.ts";

type Stream = {
  readonly from: StreamOwner;
  readonly client: number;
  readonly stream: number;
  group: Group;
};

/**
 * The streams that follow the same znodes and stand at the same place. They get the same changes, which are gathered once; all messages
 * share one list, so that it can be encoded once too.
 */
type Group = {
  readonly path: string;
  readonly recursive: Recursive;
  readonly readers: Readers;
  readonly members: Set<Stream>;
  /**
   * The members have been sent every change of theirs up to this zxid. `pending` holds changes after it. A group for each path stands
   * where the replica does. Clients that come from a node that is ahead of this one stand where they came from, in groups of their own,
   * until the replica is there too.
   */
  position: Zxid;
  pending: Change[];
};

export type Streams = {
  readonly byPath: Map<string, Set<Group>>;
  /** Maps a client's key and the client's own number of the stream to the stream. */
  readonly byClient: Map<string, Map<number, Stream>>;
  /** The groups that follow what is below their paths too. */
  readonly recursive: Branch<Group>;
  /** The groups that are ahead of the replica. */
  readonly ahead: Set<Group>;
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
    ahead: new Set(),
    flushed: ZXID_NONE,
    operationsUnmarked: 0,
  };
}

export function receiveForStreams(
  turn: TreeTurn,
  message: Extract<TreeMessage, { readonly kind: "openStream" | "closeStream" | "reportProgress" }>,
): void {
  if (message.kind === "openStream") openStream(turn, message);
  else if (message.kind === "reportProgress") reportProgress(turn, message.from);
  else closeStream(turn.state.streams, message.from, message.client, message.stream);
}

export function openStream(
  turn: TreeTurn,
  message: Extract<TreeMessage, { kind: "openStream" }>,
): void {
  const { streams, ring, lastApplied: applied } = turn.state;
  const { from, client, stream: number, path, recursive, readsAll = false, who = ANYONE } = message;
  closeStream(streams, from, client, number);
  const { back = 0 } = message;
  const after = message.after ?? (back > 0 ? zxidBefore(ring, back) : applied);
  const of = { path, recursive, readers: readersOf(who, readsAll) };
  const group: Group = { ...of, members: new Set(), position: after, pending: [] };
  const stream: Stream = { from, client, stream: number, group };
  if (after < ring.oldest) {
    tellCompacted(turn, stream);
    return;
  }
  group.members.add(stream);
  if (after < applied) {
    visitChanges(ring, after, (changedPath, _zxid, build, { isClosed }, lists) => {
      if (!matches(group, changedPath)) return;
      const guard = guardOf(changedPath, isClosed, lists);
      if (mayRead(turn.state, group.readers, guard)) group.pending.push(build());
      else if (mayList(turn, group, guard)) giveName(group, build());
    });
  }
  tellChanges(turn, group);
  addStream(streams, stream);
  join(streams, group, applied);
}

function matches({ path, recursive }: Group, changed: string): boolean {
  if (changed === path) return true;
  if (recursive === "children") return isChild(changed, path);
  if (!recursive) return false;
  return path === "/" || changed.startsWith(`${path}/`);
}

function isChild(path: string, of: string): boolean {
  return path !== "/" && parentOf(path) === of;
}

function clientKey(from: StreamOwner, client: number): string {
  return `${client} ${from}`;
}

function addStream(streams: Streams, stream: Stream): void {
  const key = clientKey(stream.from, stream.client);
  const ofClient = streams.byClient.get(key) ?? new Map<number, Stream>();
  streams.byClient.set(key, ofClient);
  ofClient.set(stream.stream, stream);
}

/** Puts the members of a group that has been told everything up to its position into the group that stands there, if there is one. */
function join(streams: Streams, group: Group, applied: Zxid): void {
  const { path, recursive, readers, position } = group;
  const isAhead = position > applied;
  const ofPath = streams.byPath.get(path) ?? new Set<Group>();
  for (const other of ofPath) {
    const isThere = isAhead ? other.position === position : other.position <= applied;
    if (other.recursive !== recursive || other.readers.key !== readers.key || !isThere) continue;
    for (const member of group.members) {
      other.members.add(member);
      member.group = other;
    }
    return;
  }
  streams.byPath.set(path, ofPath);
  ofPath.add(group);
  if (recursive === true) addBranch(streams.recursive, path, group);
  if (isAhead) streams.ahead.add(group);
}

function removeGroup(streams: Streams, group: Group): void {
  const ofPath = streams.byPath.get(group.path);
  ofPath?.delete(group);
  if (ofPath?.size === 0) streams.byPath.delete(group.path);
  if (group.recursive === true) removeBranch(streams.recursive, group.path, group);
  streams.ahead.delete(group);
}

export function hasStreams(streams: Streams, from: StreamOwner): boolean {
  const clients = [...streams.byClient.values()];
  return clients.some((ofClient) => [...ofClient.values()].some((each) => each.from === from));
}

function closeStream(streams: Streams, from: StreamOwner, client: number, number: number): void {
  const key = clientKey(from, client);
  const ofClient = streams.byClient.get(key);
  const stream = ofClient?.get(number);
  if (ofClient === undefined || stream === undefined) return;
  ofClient.delete(number);
  if (ofClient.size === 0) streams.byClient.delete(key);
  const { group } = stream;
  group.members.delete(stream);
  if (group.members.size === 0) removeGroup(streams, group);
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
  const touched = new Set<Group>();
  visitChanges(ring, from, (path, zxid, build, { isClosed }, lists) => {
    gather(turn, touched, { zxid, build, guard: guardOf(path, isClosed, lists) });
  });
  for (const group of touched) tellChanges(turn, group);
  joinReached(streams, applied);
  streams.operationsUnmarked += operations;
  if (streams.operationsUnmarked < PROGRESS_OPERATIONS) return;
  streams.operationsUnmarked = 0;
  for (const ofPath of streams.byPath.values()) {
    for (const group of ofPath) {
      if (group.position < applied) tellChanges(turn, group);
    }
  }
}

/** The streams of the owner's are told how far they have come, with all that share their groups. */
function reportProgress(turn: TreeTurn, from: StreamOwner): void {
  const { streams, lastApplied: applied } = turn.state;
  const behind = new Set<Group>();
  for (const ofClient of streams.byClient.values()) {
    for (const stream of ofClient.values()) {
      if (stream.from === from && stream.group.position < applied) behind.add(stream.group);
    }
  }
  for (const group of behind) tellChanges(turn, group);
}

/** The replica has come to where these groups stand. */
function joinReached(streams: Streams, applied: Zxid): void {
  for (const group of streams.ahead) {
    if (group.position > applied) continue;
    removeGroup(streams, group);
    join(streams, group, applied);
  }
}

/** More was applied at once than the ring holds. A stream that needs what the ring has lost is closed. */
function compactAll(turn: TreeTurn): void {
  const { streams, ring } = turn.state;
  for (const ofClient of [...streams.byClient.values()]) {
    for (const stream of [...ofClient.values()]) {
      if (stream.group.position >= ring.oldest) continue;
      closeStream(streams, stream.from, stream.client, stream.stream);
      tellCompacted(turn, stream);
    }
  }
}

type Gathered = {
  readonly zxid: Zxid;
  readonly build: () => Change;
  readonly guard: Guard;
};

/**
 * Whether the change, which its reader may not read, is of a child whose name the reader could find by listing the children, then and
 * now.
 */
function mayList(
  { state: { znodes } }: TreeTurn,
  { path: parent, recursive, readers: { who } }: Group,
  { path, parentAcl }: Guard,
): boolean {
  if (recursive !== "children" || path === parent) return false;
  if (parentAcl !== undefined && !mayReadBy(parentAcl, who)) return false;
  const znode = znodes.hasClosed ? znodes.find(parent) : undefined;
  return znode === undefined || mayReadBy(znodes.acl(znode), who);
}

/** Gives of a change what anybody may know who knows the name. */
function giveName(group: Group, { data: _data, ...change }: Change): boolean {
  if (change.kind !== "created" && change.kind !== "deleted") return false;
  group.pending.push(change);
  return true;
}

function gather(turn: TreeTurn, touched: Set<Group>, { zxid, build, guard }: Gathered): void {
  const { streams } = turn.state;
  const { path } = guard;
  let change: Change | undefined;
  let isPublic: boolean | undefined;
  const isFor = (readers: Readers): boolean => {
    if (readers.may !== "public") return mayRead(turn.state, readers, guard);
    isPublic ??= mayRead(turn.state, readers, guard);
    return isPublic;
  };
  const give = (group: Group): void => {
    if (zxid <= group.position) return;
    if (isFor(group.readers)) {
      change ??= build();
      group.pending.push(change);
      touched.add(group);
    } else if (mayList(turn, group, guard) && giveName(group, build())) {
      touched.add(group);
    }
  };
  streams.byPath.get(path)?.forEach(give);
  visitAbove(streams.recursive, path, give);
  if (path === "/") return;
  for (const group of streams.byPath.get(parentOf(path)) ?? []) {
    if (group.recursive === "children") give(group);
  }
}

/** Sends what is in `pending`, in messages that never divide a zxid. After the last one the group has come to `lastApplied`. */
function tellChanges(turn: TreeTurn, group: Group): void {
  const { lastApplied: applied } = turn.state;
  // A client may come from a node that is ahead of this one, and then its position is after what is applied here.
  if (applied > group.position) group.position = applied;
  let changes: Change[] = [];
  for (const change of group.pending) {
    const last = changes.at(-1);
    if (last !== undefined && changes.length >= MESSAGE_CHANGES_MIN && last.zxid !== change.zxid) {
      tellMembers(turn, group, changes, last.zxid);
      changes = [];
    }
    changes.push(change);
  }
  group.pending = [];
  tellMembers(turn, group, changes, group.position);
}

function tellMembers(
  { effects }: TreeTurn,
  { members }: Group,
  changes: readonly Change[],
  through: Zxid,
): void {
  for (const { from, client, stream } of members) {
    const message: TreeReply = { kind: "changes", client, stream, changes, through };
    effects.push(tell(from, message));
  }
}

function tellCompacted({ state, effects }: TreeTurn, to: Stream): void {
  const { client, stream } = to;
  const { oldest } = state.ring;
  const message: TreeReply = { kind: "compacted", client, stream, oldest };
  effects.push(tell(to.from, message));
}
