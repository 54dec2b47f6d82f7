/**
 * Lists the watches of a lane for the four-letter words `wchs`, `wchc` and `wchp`, up to so many bytes, and counts all of a connection
 * for `sess`. As in ZooKeeper the words list the data watches and those that stay, each path of a connection once: watches on children are not listed.
 */
import type { ClientWatches, WatchedPath, WatchList } from "../messages.ts";
import { type Watches, type Watcher, watchesOf } from "./watches.ts";

/** What an entry takes beside its path: a number of a session. */
const ENTRY_BYTES = 20;

export type ListOptions = {
  readonly from: Watcher["from"];
  readonly question: number;
  readonly word: WatchList["word"];
  readonly bytesMax: number;
};

export function listWatches(watches: Watches, options: ListOptions): WatchList {
  const { from, question, word, bytesMax } = options;
  const watchers = watches.watchers.get(from) ?? new Map<number, Watcher>();
  const byClient = countsByClient(watchers);
  const count = byClient.reduce((sum, [, own]) => sum + own, 0);
  const connections = byClient.length;
  const counts = { connections, paths: pathCount(watches, watchers), watches: count };
  const about = { kind: "watchList", question, word, bytesMax, counts } as const;
  if (word === "wchs") return { ...about, pairs: [], omitted: 0 };
  const pairs = upTo(word === "wchc" ? pathsByClient(watchers) : byPath(watches, from), bytesMax);
  return { ...about, pairs, omitted: count - pairs.length };
}

export function countClientWatches(
  { watchers }: Watches,
  { from, question, bytesMax }: Omit<ListOptions, "word">,
): ClientWatches {
  const byClient = [...(watchers.get(from) ?? [])].flatMap(([client, watcher]) => {
    const own = watchesOf(watcher);
    return own === 0 ? [] : [[client, own] as const];
  });
  return { kind: "clientWatches", question, bytesMax, byClient };
}

/** Those that have none are left out. */
function countsByClient(watchers: ReadonlyMap<number, Watcher>): ClientWatches["byClient"] {
  return [...watchers].flatMap(([client, watcher]) => {
    const own = pathsOf(watcher).size;
    return own === 0 ? [] : [[client, own] as const];
  });
}

/** Looks at no more than what has a place. */
function upTo(all: Iterable<WatchedPath>, bytesMax: number): WatchedPath[] {
  const pairs: WatchedPath[] = [];
  let bytes = 0;
  for (const pair of all) {
    bytes += pair.path.length + ENTRY_BYTES;
    if (bytes > bytesMax) break;
    pairs.push(pair);
  }
  return pairs;
}

function* pathsByClient(watchers: ReadonlyMap<number, Watcher>): Iterable<WatchedPath> {
  for (const [client, watcher] of watchers) {
    for (const path of pathsOf(watcher)) yield { client, path };
  }
}

function* byPath(watches: Watches, from: Watcher["from"]): Iterable<WatchedPath> {
  for (const [path, watchers] of watches.data) {
    for (const watcher of watchers) {
      if (watcher.from === from) yield { client: watcher.client, path };
    }
  }
  for (const [client, watcher] of watches.watchers.get(from) ?? []) {
    for (const path of stayingPathsOf(watcher)) {
      if (!watcher.data.has(path)) yield { client, path };
    }
  }
}

/** Most connections have no watches that stay, so that nothing is made for them. */
function pathsOf(watcher: Watcher): ReadonlySet<string> {
  const staying = stayingPathsOf(watcher);
  return staying.size === 0 ? watcher.data : new Set([...watcher.data, ...staying]);
}

function stayingPathsOf({ persistent, persistentRecursive }: Watcher): ReadonlySet<string> {
  if (persistentRecursive.size === 0) return persistent;
  return new Set([...persistent, ...persistentRecursive]);
}

function pathCount({ data }: Watches, watchers: ReadonlyMap<number, Watcher>): number {
  const others = new Set<string>();
  for (const watcher of watchers.values()) {
    for (const path of stayingPathsOf(watcher)) if (!data.has(path)) others.add(path);
  }
  return data.size + others.size;
}
