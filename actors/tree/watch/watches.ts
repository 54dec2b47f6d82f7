/**
 * The watches of this lane's clients. As in ZooKeeper's server there are two tables of one-shot watches: data watches are set by getData
 * and by exists, which also watches a path where no znode is; child watches are set by getChildren. Beside them are those that stay,
 * set by addWatch: persistent ones hear what either table would at their path, recursive ones of each znode from their path on. Events
 * gather until `takeEvents`.
 */
import type { GatewayName } from "../../gateway/messages.ts";
import type { StreamOwner } from "../messages.ts";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import { parentOf, pathProblem } from "../../../protocol/paths.ts";
import {
  type StayingWatch,
  WatchEventType,
  type WatchEvent,
  type WatcherType,
} from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import {
  addBranch,
  type Branch,
  createBranch,
  removeBranch,
  visitAlong,
} from "../store/path-branches.ts";
import type { TreeTurn } from "../state.ts";
import type { TreeReply } from "../messages.ts";

/**
 * The tables of watches that are gone when they have fired. Those in `listed` are left by a list with Stats or data of ClickHouse Keeper's:
 * they fire as those of children do, and when the data of a child changes.
 */
export type WatchTable = "data" | "child" | "listed";

export type WatchKind = WatchTable | StayingWatch;

/** A connection, and the paths of its watches. */
export type Watcher = {
  readonly from: GatewayName;
  readonly client: number;
  /** How many changes were looked through for what the connection had missed. */
  replayed: number;
} & Readonly<Record<WatchKind, Set<string>>>;

type Table = Map<string, Set<Watcher>>;

export type Watches = Readonly<Record<WatchTable | "persistent", Table>> & {
  readonly persistentRecursive: Branch<Watcher>;
  /** Maps a gateway and its number of a connection to the connection's watches. */
  readonly watchers: Map<string, Map<number, Watcher>>;
  readonly pending: Map<Watcher, WatchEvent[]>;
  /** The number of watches of all kinds, and of those that stay. */
  count: number;
  staying: number;
  /** What all of them take in memory, in watches of a short path. */
  weight: number;
};

const WATCH_KINDS: readonly WatchKind[] = [
  "data",
  "child",
  "listed",
  "persistent",
  "persistentRecursive",
];

export function createWatches(): Watches {
  return {
    data: new Map(),
    child: new Map(),
    listed: new Map(),
    persistent: new Map(),
    persistentRecursive: createBranch(),
    watchers: new Map(),
    pending: new Map(),
    count: 0,
    staying: 0,
    weight: 0,
  };
}

/** A path of so many characters takes as much as another watch. */
const PATH_LENGTH = 256;

/** What a watch takes in memory, in watches of a short path. A recursive one has branches of its own. */
export function weightOf(kind: WatchKind, path: string): number {
  const weight = 1 + Math.floor(path.length / PATH_LENGTH);
  return kind === "persistentRecursive" ? 2 + weight : weight;
}

export function watcherOf(watches: Watches, from: GatewayName, client: number): Watcher {
  let clients = watches.watchers.get(from);
  if (clients === undefined) {
    clients = new Map();
    watches.watchers.set(from, clients);
  }
  let watcher = clients.get(client);
  if (watcher === undefined) {
    const none = (): Set<string> => new Set();
    const oneShot = { data: none(), child: none(), listed: none() };
    const staying = { persistent: none(), persistentRecursive: none() };
    watcher = { from, client, replayed: 0, ...oneShot, ...staying };
    clients.set(client, watcher);
  }
  return watcher;
}

/** How many watches the connection has. */
export function watchesOf(watcher: Watcher): number {
  let count = 0;
  for (const kind of WATCH_KINDS) count += watcher[kind].size;
  return count;
}

/** A connection has one watch of a kind on a path at most. */
export function addWatch(watches: Watches, kind: WatchKind, path: string, by: Watcher): void {
  if (by[kind].has(path)) return;
  by[kind].add(path);
  watches.count += 1;
  watches.weight += weightOf(kind, path);
  if (kind === "data" || kind === "child" || kind === "listed") {
    addTo(watches[kind], path, by);
    return;
  }
  watches.staying += 1;
  if (kind === "persistent") addTo(watches.persistent, path, by);
  else if (canBe(path)) addBranch(watches.persistentRecursive, path, by);
}

/** Whether a znode can have the path. Watches of other paths are kept, and never fire. */
export function canBe(path: string): boolean {
  return pathProblem(path) === undefined;
}

function addTo(table: Table, path: string, by: Watcher): void {
  const watchers = table.get(path);
  if (watchers === undefined) table.set(path, new Set([by]));
  else watchers.add(by);
}

/** Whether there was such a watch. */
function removeWatch(watches: Watches, kind: WatchKind, path: string, by: Watcher): boolean {
  if (!by[kind].delete(path)) return false;
  watches.count -= 1;
  watches.weight -= weightOf(kind, path);
  if (kind === "persistent" || kind === "persistentRecursive") watches.staying -= 1;
  if (kind === "persistentRecursive") {
    if (canBe(path)) removeBranch(watches.persistentRecursive, path, by);
    return true;
  }
  const watchers = watches[kind].get(path);
  watchers?.delete(by);
  if (watchers?.size === 0) watches[kind].delete(path);
  return true;
}

/** Whether the connection has a watch of this type on the path. */
export function hasWatch(by: Watcher, path: string, type: WatcherType): boolean {
  return kindsOf(type).some((kind) => by[kind].has(path));
}

/** Removes the connection's watches of this type on the path. Returns whether there were any. Source: DataTree.removeWatch. */
export function removeWatches(
  watches: Watches,
  by: Watcher,
  path: string,
  type: WatcherType,
): boolean {
  let removed = false;
  for (const kind of kindsOf(type)) if (removeWatch(watches, kind, path, by)) removed = true;
  return removed;
}

function kindsOf(type: WatcherType): readonly WatchKind[] {
  if (type === "child") return CHILD_KINDS;
  return type === "any" ? WATCH_KINDS : [type];
}

const CHILD_KINDS: readonly WatchKind[] = ["child", "listed"];

/** Removes the watches of a connection that has ended. */
export function forgetWatcher(watches: Watches, from: StreamOwner, client: number): void {
  const clients = watches.watchers.get(from);
  const watcher = clients?.get(client);
  if (clients === undefined || watcher === undefined) return;
  for (const kind of WATCH_KINDS) {
    for (const path of watcher[kind]) removeWatch(watches, kind, path, watcher);
  }
  clients.delete(client);
  if (clients.size === 0) watches.watchers.delete(from);
}

/** `acl` is the list of the znode, `parentAcl` that of its parent. */
export function fireCreated(
  watches: Watches,
  path: string,
  zxid: Zxid,
  acl: readonly Acl[],
  parentAcl: readonly Acl[],
): void {
  if (watches.count === 0) return;
  fire(watches, "data", watchEvent(WatchEventType.nodeCreated, path, zxid, acl));
  fire(watches, "child", childrenEvent(path, zxid, parentAcl));
}

/** `parentAcl` is asked for only where somebody has listed children with their data. */
export function fireData(
  watches: Watches,
  path: string,
  zxid: Zxid,
  acl: readonly Acl[],
  parentAcl: () => readonly Acl[] | undefined,
): void {
  if (watches.count === 0) return;
  fire(watches, "data", watchEvent(WatchEventType.nodeDataChanged, path, zxid, acl));
  if (watches.listed.size === 0) return;
  // The event says no more than that the list is another, so whoever may read the parent is told.
  const parent = parentAcl();
  // A multi that has deleted the parent too fires the watch with the deletion of the child.
  if (parent === undefined) return;
  const event = childrenEvent(path, zxid, parent);
  for (const watcher of takeOneShot(watches, "listed", event.path) ?? []) {
    addEvent(watches, watcher, event);
  }
}

export function fireDeleted(
  watches: Watches,
  path: string,
  zxid: Zxid,
  acl: readonly Acl[],
  parentAcl: readonly Acl[],
): void {
  if (watches.count === 0) return;
  const deleted = watchEvent(WatchEventType.nodeDeleted, path, zxid, acl);
  const notified = fire(watches, "data", deleted);
  // A client that watched both the data and the children gets one event for the deletion.
  fire(watches, "child", deleted, notified);
  fire(watches, "child", childrenEvent(path, zxid, parentAcl));
}

function childrenEvent(path: string, zxid: Zxid, parentAcl: readonly Acl[]): WatchEvent {
  return watchEvent(WatchEventType.nodeChildrenChanged, parentOf(path), zxid, parentAcl);
}

export function watchEvent(
  type: WatchEventType,
  path: string,
  zxid: Zxid,
  acl: readonly Acl[],
): WatchEvent {
  return acl === OPEN_ACL ? { type, path, zxid } : { type, path, zxid, acl };
}

/**
 * Adds the event for the watches at its path, but for `except`, and removes those of this table, which do not stay. Returns whom they
 * belong to. Whoever has several of them gets one event.
 */
function fire(
  watches: Watches,
  table: WatchTable,
  event: WatchEvent,
  except?: ReadonlySet<Watcher>,
): ReadonlySet<Watcher> | undefined {
  const { path } = event;
  const once = table === "child" ? takeChildren(watches, path) : takeOneShot(watches, table, path);
  const watchers = watches.staying === 0 ? once : withStaying(watches, table, path, once);
  if (watchers === undefined) return undefined;
  for (const watcher of watchers) {
    if (except?.has(watcher) !== true) addEvent(watches, watcher, event);
  }
  return watchers;
}

function takeChildren(watches: Watches, path: string): ReadonlySet<Watcher> | undefined {
  const once = takeOneShot(watches, "child", path);
  const listed = watches.listed.size === 0 ? undefined : takeOneShot(watches, "listed", path);
  if (listed === undefined || once === undefined) return once ?? listed;
  return new Set([...once, ...listed]);
}

function takeOneShot(
  watches: Watches,
  table: WatchTable,
  path: string,
): ReadonlySet<Watcher> | undefined {
  const watchers = watches[table].get(path);
  if (watchers === undefined) return undefined;
  watches[table].delete(path);
  watches.count -= watchers.size;
  watches.weight -= watchers.size * weightOf(table, path);
  for (const watcher of watchers) watcher[table].delete(path);
  return watchers;
}

/** Recursive watches hear of each znode below theirs by its own event, so they are told of no children. Source: WatchManager. */
function withStaying(
  { persistent, persistentRecursive }: Watches,
  table: WatchTable,
  path: string,
  once: ReadonlySet<Watcher> | undefined,
): ReadonlySet<Watcher> | undefined {
  const staying = persistent.get(path);
  if (table === "child" && once === undefined) return staying;
  const all = new Set<Watcher>(once);
  for (const watcher of staying ?? []) all.add(watcher);
  if (table === "data") visitAlong(persistentRecursive, path, (watcher) => all.add(watcher));
  return all;
}

export function addEvent(watches: Watches, watcher: Watcher, event: WatchEvent): void {
  const events = watches.pending.get(watcher);
  if (events === undefined) watches.pending.set(watcher, [event]);
  else events.push(event);
}

/** Sends each client the events that have gathered for it. Called before the results of the same record leave. */
export function takeEvents({ state, effects }: TreeTurn): void {
  const { watches } = state;
  if (watches.pending.size === 0) return;
  for (const [watcher, events] of watches.pending) {
    const message: TreeReply = { kind: "watchEvents", client: watcher.client, events };
    effects.push(tell(watcher.from, message));
  }
  watches.pending.clear();
}
