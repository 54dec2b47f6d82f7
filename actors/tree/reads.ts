/** Reads, answered from this replica, and the watches they leave. Data is handed out as it lies: it is never written again. */
import { logEvent } from "../log-event.ts";
import type { GatewayName } from "../gateway/messages.ts";
import { tell } from "../inboxes.ts";
import { unreachable } from "../../protocol/assert.ts";
import { Code } from "../../protocol/codes.ts";
import { answerBytes, WatchEventType, type Read, type ReadResult } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { TreeMessage, TreeReadResult, TreeReply } from "./messages.ts";
import { statOf, type Znode } from "./store/znodes.ts";
import { grows } from "./store/size.ts";
import type { TreeState, TreeTurn } from "./state.ts";
import { addEvent, addWatch, takeEvents, watcherOf, type Watcher } from "./watch/watches.ts";

type ReadMessage = Extract<TreeMessage, { kind: "read" }>;

const DONE: ReadResult = { kind: "done" };
const TOO_MANY_WATCHES: ReadResult = { kind: "error", code: Code.badArguments };
const NO_ROOM_FOR_WATCHES: ReadResult = { kind: "error", code: Code.throttled };
const NO_NODE: ReadResult = { kind: "error", code: Code.noNode };

export function answerReads(turn: TreeTurn, message: ReadMessage): void {
  const { state: tree, effects } = turn;
  const { from, client, answerBytesMax } = message;
  const results: TreeReadResult[] = [];
  let bytes = 0;
  for (const read of message.reads) {
    if (read.kind === "growth") {
      results.push({ kind: "growth", grows: grows(tree, read.operation) });
      continue;
    }
    const result = answerRead(turn, from, client, read);
    results.push(result);
    bytes += answerBytes(result);
    if (bytes >= answerBytesMax) break;
  }
  // What setWatches found changed is told before its own answer.
  takeEvents(turn);
  const reply: TreeReply = { kind: "readDone", client, zxid: tree.lastApplied, results };
  effects.push(tell(from, reply));
}

function answerRead(turn: TreeTurn, from: GatewayName, client: number, read: Read): ReadResult {
  const { state: tree } = turn;
  const { watches } = tree;
  const wanted = watchesWanted(read);
  if (wanted > 0) {
    const { data, child } = watcherOf(watches, from, client);
    const max = tree.options.watchesPerConnectionMax;
    if (data.size + child.size + wanted > max) return TOO_MANY_WATCHES;
    if (!watchesFit(turn, wanted)) return NO_ROOM_FOR_WATCHES;
  }
  if (read.kind === "setWatches") {
    setWatches(tree, watcherOf(watches, from, client), read);
    return DONE;
  }
  const { path } = read;
  const znode = find(tree, path);
  switch (read.kind) {
    case "exists":
      if (read.watch) addWatch(watches, "data", path, watcherOf(watches, from, client));
      return znode === undefined ? NO_NODE : { kind: "stat", stat: statOf(znode) };
    case "getData":
      if (znode === undefined) return NO_NODE;
      if (read.watch) addWatch(watches, "data", path, watcherOf(watches, from, client));
      return { kind: "data", data: znode.data, stat: statOf(znode) };
    case "getChildren":
      if (znode === undefined) return NO_NODE;
      if (read.watch) addWatch(watches, "child", path, watcherOf(watches, from, client));
      return { kind: "children", children: [...(znode.children ?? [])], stat: statOf(znode) };
    case "getAcl":
      if (znode === undefined) return NO_NODE;
      return { kind: "acl", acl: znode.acl, stat: statOf(znode) };
    default:
      return unreachable(read);
  }
}

/** Within the limit of all connections of the lane. Said once when it is reached, and when it is again far from being so. */
function watchesFit(turn: TreeTurn, wanted: number): boolean {
  const { state: tree, effects } = turn;
  const { watches, options } = tree;
  const { watchesMax } = options.limits;
  const fits = watches.count + wanted <= watchesMax;
  const isFree = fits && watches.count <= watchesMax * 0.9;
  if (fits ? !isFree || !tree.watchesFull : tree.watchesFull) return fits;
  tree.watchesFull = !fits;
  const event = fits ? "watchesFit" : "watchesFull";
  effects.push(logEvent(event, { watches: watches.count, watchesMax }));
  return fits;
}

/** How many watches the read may leave. */
function watchesWanted(read: Read): number {
  if (read.kind === "setWatches") return read.data.length + read.exist.length + read.child.length;
  return read.kind !== "getAcl" && read.watch ? 1 : 0;
}

/** As ZooKeeper's server reads: the empty path is the root, and one that is not valid is a node that is not there. */
function find(tree: TreeState, path: string): Znode | undefined {
  return tree.znodes.byPath.get(path === "" ? "/" : path);
}

/** Source: DataTree.setWatches. Where something changed since `relativeZxid` the watch fires at once, else it is set. */
function setWatches(
  tree: TreeState,
  watcher: Watcher,
  read: Extract<Read, { kind: "setWatches" }>,
): void {
  const { watches, lastApplied } = tree;
  const fire = (type: WatchEventType, path: string, zxid: Zxid): void =>
    addEvent(watches, watcher, { type, path, zxid });
  for (const path of read.data) {
    const znode = find(tree, path);
    // When a node went is not kept: it was at the latest now.
    if (znode === undefined) fire(WatchEventType.nodeDeleted, path, lastApplied);
    else if (znode.mzxid > read.relativeZxid)
      fire(WatchEventType.nodeDataChanged, path, znode.mzxid);
    else addWatch(watches, "data", path, watcher);
  }
  for (const path of read.exist) {
    const znode = find(tree, path);
    if (znode !== undefined) fire(WatchEventType.nodeCreated, path, znode.czxid);
    else addWatch(watches, "data", path, watcher);
  }
  for (const path of read.child) {
    const znode = find(tree, path);
    if (znode === undefined) fire(WatchEventType.nodeDeleted, path, lastApplied);
    else if (znode.pzxid > read.relativeZxid) {
      fire(WatchEventType.nodeChildrenChanged, path, znode.pzxid);
    } else addWatch(watches, "child", path, watcher);
  }
}
