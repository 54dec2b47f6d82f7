/**
 * The one-shot watches of this lane's clients. As in ZooKeeper's server there are two tables: data watches are set by getData and by
 * exists, which also watches a path where no znode is; child watches are set by getChildren. Events gather until `takeEvents`.
 */
import type { GatewayName } from "../../gateway/messages.ts";
import type { StreamOwner } from "../messages.ts";
import { parentOf } from "../../../protocol/paths.ts";
import { WatchEventType, type WatchEvent } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { TreeTurn } from "../state.ts";
import type { TreeReply } from "../messages.ts";

export type WatchTable = "data" | "child";

export type Watcher = {
  readonly from: GatewayName;
  readonly client: number;
  readonly data: Set<string>;
  readonly child: Set<string>;
};

export type Watches = {
  readonly data: Map<string, Set<Watcher>>;
  readonly child: Map<string, Set<Watcher>>;
  /** Maps a gateway and its number of a connection to the connection's watches. */
  readonly watchers: Map<string, Map<number, Watcher>>;
  readonly pending: Map<Watcher, WatchEvent[]>;
  /** The number of watches in both tables. */
  count: number;
};

export function createWatches(): Watches {
  return { data: new Map(), child: new Map(), watchers: new Map(), pending: new Map(), count: 0 };
}

export function watcherOf(watches: Watches, from: GatewayName, client: number): Watcher {
  let clients = watches.watchers.get(from);
  if (clients === undefined) {
    clients = new Map();
    watches.watchers.set(from, clients);
  }
  let watcher = clients.get(client);
  if (watcher === undefined) {
    watcher = { from, client, data: new Set(), child: new Set() };
    clients.set(client, watcher);
  }
  return watcher;
}

export function addWatch(watches: Watches, table: WatchTable, path: string, by: Watcher): void {
  if (by[table].has(path)) return;
  by[table].add(path);
  let watchers = watches[table].get(path);
  if (watchers === undefined) {
    watchers = new Set();
    watches[table].set(path, watchers);
  }
  watchers.add(by);
  watches.count += 1;
}

/** Removes the watches of a connection that has ended. */
export function forgetWatcher(watches: Watches, from: StreamOwner, client: number): void {
  const clients = watches.watchers.get(from);
  const watcher = clients?.get(client);
  if (clients === undefined || watcher === undefined) return;
  for (const table of ["data", "child"] as const) {
    for (const path of watcher[table]) {
      const watchers = watches[table].get(path);
      watchers?.delete(watcher);
      if (watchers?.size === 0) watches[table].delete(path);
    }
    watches.count -= watcher[table].size;
  }
  clients.delete(client);
  if (clients.size === 0) watches.watchers.delete(from);
}

export function fireCreated(watches: Watches, path: string, zxid: Zxid): void {
  if (watches.count === 0) return;
  fire(watches, "data", path, WatchEventType.nodeCreated, zxid);
  fire(watches, "child", parentOf(path), WatchEventType.nodeChildrenChanged, zxid);
}

export function fireData(watches: Watches, path: string, zxid: Zxid): void {
  if (watches.count === 0) return;
  fire(watches, "data", path, WatchEventType.nodeDataChanged, zxid);
}

export function fireDeleted(watches: Watches, path: string, zxid: Zxid): void {
  if (watches.count === 0) return;
  const notified = fire(watches, "data", path, WatchEventType.nodeDeleted, zxid);
  // A client that watched both the data and the children gets one event for the deletion.
  fire(watches, "child", path, WatchEventType.nodeDeleted, zxid, notified);
  fire(watches, "child", parentOf(path), WatchEventType.nodeChildrenChanged, zxid);
}

/** Removes the watches of this table at the path and adds their events, but for `except`. Returns those who had a watch. */
function fire(
  watches: Watches,
  table: WatchTable,
  path: string,
  type: WatchEventType,
  zxid: Zxid,
  except?: ReadonlySet<Watcher>,
): ReadonlySet<Watcher> | undefined {
  const watchers = watches[table].get(path);
  if (watchers === undefined) return undefined;
  watches[table].delete(path);
  watches.count -= watchers.size;
  const event: WatchEvent = { type, path, zxid };
  for (const watcher of watchers) {
    watcher[table].delete(path);
    if (except?.has(watcher) !== true) addEvent(watches, watcher, event);
  }
  return watchers;
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
