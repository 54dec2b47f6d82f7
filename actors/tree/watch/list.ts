/**
 * Lists the watches of a lane for the four-letter words `wchs`, `wchc` and `wchp`, up to so many bytes. As in ZooKeeper these are the data
 * watches: those on children are not told.
 */
import type { WatchedPath, WatchList } from "../messages.ts";
import type { Watches, Watcher } from "./watches.ts";

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
  let [connections, count] = [0, 0];
  for (const { data } of watchers.values()) {
    if (data.size > 0) connections += 1;
    count += data.size;
  }
  const counts = { connections, paths: watches.data.size, watches: count };
  const about = { kind: "watchList", question, word, bytesMax, counts } as const;
  if (word === "wchs") return { ...about, pairs: [], omitted: 0 };
  const pairs = upTo(word === "wchc" ? byClient(watchers) : byPath(watches, from), bytesMax);
  return { ...about, pairs, omitted: count - pairs.length };
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

function* byClient(watchers: ReadonlyMap<number, Watcher>): Iterable<WatchedPath> {
  for (const [client, { data }] of watchers) for (const path of data) yield { client, path };
}

function* byPath({ data }: Watches, from: Watcher["from"]): Iterable<WatchedPath> {
  for (const [path, watchers] of data) {
    for (const watcher of watchers) {
      if (watcher.from === from) yield { client: watcher.client, path };
    }
  }
}
