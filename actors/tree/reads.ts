/**
 * Reads are answered from this replica, and may leave watches. Whoever gets a value may keep it: nobody overwrites its bytes.
 */
import { logEvent } from "../log-event.ts";
import { grants, masked, Permission } from "../../protocol/access.ts";
import { LOOKED_AT_BYTES } from "../../protocol/limits.ts";
import { tell } from "../inboxes.ts";
import { unreachable } from "../../protocol/assert.ts";
import { Code } from "../../protocol/codes.ts";
import {
  answerBytes,
  WatchEventType,
  type Read,
  type ReadResult,
  type ZnodeRead,
} from "../../protocol/reads.ts";
import { ANYONE, type Who } from "../../protocol/identities.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { listChildren, listRecursive, systemZnode } from "./keeper-reads.ts";
import { isConfigurationAfter, withConfiguration } from "./ensemble-config.ts";
import type { TreeMessage, TreeReadResult, TreeReply } from "./messages.ts";
import type { ZnodeId } from "./store/znodes.ts";
import { grows } from "./store/size.ts";
import type { TreeState, TreeTurn } from "./state.ts";
import { missedEvents, notYetSet } from "./watch/replay.ts";
import {
  addEvent,
  addWatch,
  hasWatch,
  removeWatches,
  takeEvents,
  watcherOf,
  type Watcher,
  watchesOf,
  weightOf,
} from "./watch/watches.ts";
import { changedPaths } from "./changed-paths.ts";
import { childStats } from "./child-stats.ts";
import { childrenPage } from "./children-page.ts";
import { getEphemerals, multiRead } from "./wide-reads.ts";

type ReadMessage = Extract<TreeMessage, { kind: "read" }>;
type Asker = Pick<ReadMessage, "from" | "client" | "who">;

const DONE: ReadResult = { kind: "done" };
const TOO_MANY_WATCHES: ReadResult = { kind: "error", code: Code.badArguments };
const WATCHES_FULL: ReadResult = { kind: "error", code: Code.throttled };
const NO_NODE: ReadResult = { kind: "error", code: Code.noNode };
const NO_AUTH: ReadResult = { kind: "error", code: Code.noAuth };
const NO_WATCHER: ReadResult = { kind: "error", code: Code.noWatcher };

/** Answers the first reads of the message, those before a `setWatches` or as many as it takes to reach `answerBytesMax`, with one `readDone`. */
export function answerReads(turn: TreeTurn, message: ReadMessage): void {
  const { state: tree, effects } = turn;
  const { answerBytesMax, client, from } = message;
  const results: TreeReadResult[] = [];
  let bytes = 0;
  for (const read of message.reads) {
    if (read.kind === "growth") {
      results.push({ kind: "growth", grows: grows(tree, read.operation) });
      continue;
    }
    // Its events leave before its answer, and behind those to the reads before it.
    if (read.kind === "setWatches" && results.length > 0) break;
    const lookedBefore = tree.lookedAt;
    const result = answerRead(turn, message, read);
    results.push(result);
    bytes += answerBytes(result) + LOOKED_AT_BYTES * (tree.lookedAt - lookedBefore);
    if (bytes >= answerBytesMax) break;
  }
  // The events of changes that `setWatches` has found leave before its own answer.
  takeEvents(turn);
  const reply: TreeReply = { kind: "readDone", client, zxid: tree.lastApplied, results };
  effects.push(tell(from, reply));
}

/** Answers all reads of one connection with one `readDone`. The events of changes that they show leave before. */
export function answerAll(
  turn: TreeTurn,
  asked: Asker & { readonly reads: readonly ZnodeRead[] },
  zxid: Zxid,
): void {
  takeEvents(turn);
  const { from, client, reads } = asked;
  const results = reads.map((read) => answerRead(turn, asked, read));
  const reply: TreeReply = { kind: "readDone", client, zxid, results };
  turn.effects.push(tell(from, reply));
}

function answerRead(turn: TreeTurn, asker: Asker, read: Read): ReadResult {
  const result = answerFromZnodes(turn, asker, read);
  if (!("path" in read)) return result;
  if (result === NO_NODE) return systemZnode(asker.from, read) ?? result;
  return withConfiguration(turn.state, read.path, result);
}

function answerFromZnodes(turn: TreeTurn, asker: Asker, read: Read): ReadResult {
  const { state: tree } = turn;
  const { from, client, who = ANYONE } = asker;
  const { watches } = tree;
  const wanted = watchesWanted(read);
  if (wanted.count > 0) {
    const max = tree.options.watchesPerConnectionMax;
    if (watchesOf(watcherOf(watches, from, client)) + wanted.count > max) return TOO_MANY_WATCHES;
    if (!watchesFit(turn, wanted.weight)) return WATCHES_FULL;
  }
  if (read.kind === "setWatches") {
    setWatches(tree, watcherOf(watches, from, client), read, who);
    return DONE;
  }
  if (read.kind === "multiRead")
    return multiRead(tree, read, (each) => answerRead(turn, asker, each));
  if (read.kind === "getEphemerals") return getEphemerals(tree, read);
  if (read.kind === "changedPaths") return changedPaths(tree, read, who);
  if (isAboutWatches(read)) {
    return answerAboutWatches(tree, watcherOf(watches, from, client), read);
  }
  const { path } = read;
  const { znodes } = tree;
  const znode = find(tree, path);
  switch (read.kind) {
    case "exists":
      if (read.watch) addWatch(watches, "data", path, watcherOf(watches, from, client));
      return znode === undefined ? NO_NODE : { kind: "stat", stat: znodes.stat(znode) };
    case "getData":
      if (znode === undefined) return NO_NODE;
      if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
      if (read.watch) addWatch(watches, "data", path, watcherOf(watches, from, client));
      return { kind: "data", data: znodes.data(znode), stat: znodes.stat(znode) };
    case "getChildren":
      if (znode === undefined) return NO_NODE;
      if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
      if (read.watch) addWatch(watches, "child", path, watcherOf(watches, from, client));
      return { kind: "children", children: znodes.children(znode), stat: znodes.stat(znode) };
    case "listChildren": {
      if (znode === undefined) return NO_NODE;
      const listed = listChildren(tree, znode, read, who);
      const table = read.having === undefined ? "child" : "listed";
      const isWatched = read.watch && listed.kind !== "error";
      if (isWatched) addWatch(watches, table, path, watcherOf(watches, from, client));
      return listed;
    }
    case "childrenPage":
      if (znode === undefined) return NO_NODE;
      if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
      return childrenPage(tree, znode, read);
    case "childStats":
      return znode === undefined ? NO_NODE : childStats(tree, znode, read);
    case "listRecursive":
      return znode === undefined ? NO_NODE : listRecursive(tree, znode, read, who);
    case "getAcl":
      return znode === undefined ? NO_NODE : answerAcl(tree, znode, who);
    case "getAllChildrenNumber":
      if (znode === undefined) return NO_NODE;
      if (!grants(znodes.acl(znode), Permission.read, who)) return NO_AUTH;
      return { kind: "count", count: znodes.below.count(znode) };
    default:
      return unreachable(read);
  }
}

type AboutWatches = Extract<Read, { kind: "addWatch" | "checkWatches" | "removeWatches" }>;

function isAboutWatches(read: Read): read is AboutWatches {
  return read.kind === "addWatch" || read.kind === "checkWatches" || read.kind === "removeWatches";
}

function answerAboutWatches(
  { watches }: TreeState,
  watcher: Watcher,
  read: AboutWatches,
): ReadResult {
  const { path } = read;
  if (read.kind === "addWatch") {
    addWatch(watches, read.mode, path, watcher);
    return DONE;
  }
  if (read.kind === "checkWatches") {
    return hasWatch(watcher, path, read.watcher) ? DONE : NO_WATCHER;
  }
  return removeWatches(watches, watcher, path, read.watcher) ? DONE : NO_WATCHER;
}

/** Who may read a list and not change it is not shown the hashes of passwords. */
function answerAcl({ znodes }: TreeState, znode: ZnodeId, who: Who): ReadResult {
  const acl = znodes.acl(znode);
  if (!grants(acl, Permission.read | Permission.admin, who)) return NO_AUTH;
  const shown = grants(acl, Permission.admin, who) ? acl : masked(acl);
  const lifetime = znodes.lifetimes.get(znode);
  const answer = { kind: "acl", acl: shown, stat: znodes.stat(znode) } as const;
  return lifetime === undefined ? answer : { ...answer, lifetime };
}

/**
 * Whether further watches of this weight are within the limit for the whole lane. The log says when the limit is reached, and says again
 * when the lane is well below it.
 */
function watchesFit(turn: TreeTurn, wanted: number): boolean {
  const { state: tree, effects } = turn;
  const { watches, options } = tree;
  const { watchesMax } = options.limits;
  const fits = watches.weight + wanted <= watchesMax;
  const isFree = fits && watches.weight <= watchesMax * 0.9;
  if (fits ? !isFree || !tree.watchesFull : tree.watchesFull) return fits;
  tree.watchesFull = !fits;
  const event = fits ? "watchesFit" : "watchesFull";
  effects.push(logEvent(event, { watches: watches.weight, watchesMax }));
  return fits;
}

type Wanted = { readonly count: number; readonly weight: number };

const NONE_WANTED: Wanted = { count: 0, weight: 0 };

/** The most watches that this read can leave, and what they take. */
function watchesWanted(read: Read): Wanted {
  if (read.kind === "addWatch") return { count: 1, weight: weightOf(read.mode, read.path) };
  if (read.kind !== "setWatches") {
    const isWatch = "watch" in read && read.watch;
    return isWatch ? { count: 1, weight: weightOf("data", read.path) } : NONE_WANTED;
  }
  let [count, weight] = [0, 0];
  for (const kind of ["data", "exist", "child", "persistent", "persistentRecursive"] as const) {
    const paths = read[kind];
    count += paths.length;
    for (const path of paths) weight += weightOf(kind === "exist" ? "data" : kind, path);
  }
  return { count, weight };
}

/** Finds a znode as ZooKeeper's server does: the empty path means the root, and at an invalid path there is no znode. */
function find(tree: TreeState, path: string): ZnodeId | undefined {
  return tree.znodes.find(path === "" ? "/" : path);
}

/**
 * Sets a watch, or fires it at once if there was a change after `relativeZxid`. Watches that stay are set in any case, and fire for each
 * of these changes. Source: ZooKeeper's DataTree.setWatches, but for the last.
 */
function setWatches(
  tree: TreeState,
  watcher: Watcher,
  read: Extract<Read, { kind: "setWatches" }>,
  who: Who,
): void {
  const { watches, znodes, lastApplied } = tree;
  const missed = notYetSet(watcher, read);
  const fire = (type: WatchEventType, path: string, zxid: Zxid): void =>
    addEvent(watches, watcher, { type, path, zxid });
  for (const path of read.data) {
    const znode = find(tree, path);
    // The tree does not keep when a znode was deleted. The zxid that is applied now is the latest it can have been.
    if (znode === undefined) fire(WatchEventType.nodeDeleted, path, lastApplied);
    else if (znodes.mzxid(znode) > read.relativeZxid)
      fire(WatchEventType.nodeDataChanged, path, znodes.mzxid(znode));
    else if (isConfigurationAfter(tree, path, read.relativeZxid))
      fire(WatchEventType.nodeDataChanged, path, lastApplied);
    else addWatch(watches, "data", path, watcher);
  }
  for (const path of read.exist) {
    const znode = find(tree, path);
    if (znode !== undefined) fire(WatchEventType.nodeCreated, path, znodes.czxid(znode));
    else addWatch(watches, "data", path, watcher);
  }
  for (const path of read.child) {
    const znode = find(tree, path);
    if (znode === undefined) fire(WatchEventType.nodeDeleted, path, lastApplied);
    else if (znodes.pzxid(znode) > read.relativeZxid) {
      fire(WatchEventType.nodeChildrenChanged, path, znodes.pzxid(znode));
    } else addWatch(watches, "child", path, watcher);
  }
  for (const kind of ["persistent", "persistentRecursive"] as const) {
    for (const path of read[kind]) addWatch(watches, kind, path, watcher);
  }
  const asked = { watches: missed, after: read.relativeZxid, who };
  for (const event of missedEvents(tree.ring, watcher, asked)) addEvent(watches, watcher, event);
}
