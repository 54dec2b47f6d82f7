/** Finds the watches of a lane that hear of one znode, and all those of one connection, up to so many bytes. */
import type { Watched } from "../../admin/messages.ts";
import { parentOf } from "../../../protocol/paths.ts";
import type { FoundWatches, TreeMessage } from "../messages.ts";
import type { Watcher, Watches, WatchKind } from "./watches.ts";

type Question = Extract<TreeMessage, { readonly kind: "findWatches" }>;
type Found = FoundWatches["found"][number];

const WATCHED: readonly (readonly [WatchKind, Watched])[] = [
  ["data", "data"],
  ["child", "children"],
  ["listed", "children"],
  ["persistent", "persistent"],
  ["persistentRecursive", "recursive"],
];

/** What a watch takes in an answer beside its path, at least: a session, an address, and names. The gateway counts it. */
const FOUND_BYTES = 80;

export function findWatches(
  watches: Watches,
  { from, question, of, bytesMax }: Question,
): FoundWatches {
  const all = "path" in of ? hearing(watches, from, of.path) : ownedBy(watches, from, of.client);
  const found: Found[] = [];
  let bytes = 0;
  let omitted = 0;
  for (const watch of all) {
    bytes += watch.path.length + FOUND_BYTES;
    if (bytes > bytesMax) omitted += 1;
    else found.push(watch);
  }
  return { kind: "foundWatches", question, bytesMax, found, omitted };
}

function* hearing(watches: Watches, from: Watcher["from"], path: string): Iterable<Found> {
  for (const [kind, watched] of WATCHED) {
    if (kind === "persistentRecursive") continue;
    for (const { from: gateway, client } of watches[kind].get(path) ?? []) {
      if (gateway === from) yield { client, path, watches: watched };
    }
  }
  const above = pathsUpFrom(path);
  for (const [client, { persistentRecursive }] of watches.watchers.get(from) ?? []) {
    if (persistentRecursive.size === 0) continue;
    for (const each of above) {
      if (persistentRecursive.has(each)) yield { client, path: each, watches: "recursive" };
    }
  }
}

function* ownedBy(watches: Watches, from: Watcher["from"], client: number): Iterable<Found> {
  const watcher = watches.watchers.get(from)?.get(client);
  if (watcher === undefined) return;
  for (const [kind, watched] of WATCHED) {
    for (const path of watcher[kind]) yield { client, path, watches: watched };
  }
}

/** The path, and all above it. */
function pathsUpFrom(path: string): readonly string[] {
  const paths = [path];
  for (let above = path; above !== "/"; ) {
    above = parentOf(above);
    paths.push(above);
  }
  return paths;
}
