/** Looks at znodes: what is asked, and what the answers say. */
import { Code } from "../../../../protocol/codes.ts";
import { parentOf } from "../../../../protocol/paths.ts";
import type { Stat } from "../../../../protocol/stat.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import type { Ask, Reply } from "../asks.ts";
import { ask } from "../settling.ts";
import type { Turn } from "../state.ts";
import type { Look } from "./asks.ts";
import { forgetDeletions, isOlder, want } from "./entries.ts";
import { noteUnsure } from "./lingering.ts";
import { observeGone, observeThere } from "./observe.ts";
import type { Entry, Stream } from "./state.ts";

/** How many questions of one stream may have no answer yet. */
const LOOKS_MAX = 256;

export function askAbout(turn: Turn, stream: Stream): void {
  const { toAsk, entries } = stream;
  for (const path of toAsk) {
    if (stream.asked >= LOOKS_MAX) return;
    toAsk.delete(path);
    const entry = entries.get(path);
    if (entry === undefined) continue;
    // Children last: a znode that is found by the first question, and was created just then, is asked for its children too.
    if (entry.data) askOne(turn, stream, entry, "data");
    if (entry.children) askOne(turn, stream, entry, "children");
    if (entry.absence) askOne(turn, stream, entry, "absence");
  }
}

const READS = { children: "getChildren", data: "getData", absence: "exists" } as const;

function askOne(turn: Turn, stream: Stream, entry: Entry, kind: keyof typeof READS): void {
  const { path } = entry;
  entry[kind] = false;
  entry.asked += 1;
  if (kind === "children") stream.walk?.listed.add(path);
  const asked: Ask = { kind: READS[kind], path, watch: !stream.staying };
  askFor(turn, stream, asked, { kind, path });
}

function askFor(
  turn: Turn,
  stream: Stream,
  asked: Ask,
  { kind, path }: Pick<Look, "kind" | "path">,
): void {
  const { number, round } = stream;
  stream.asked += 1;
  const of = { kind, path, stream: number, round };
  ask(turn, asked, { kind: "stream", asked: of }, "last");
}

/** Takes the answer to a look. Returns a code if the stream cannot go on. */
export function lookAnswered(
  turn: Turn,
  stream: Stream,
  look: Look,
  reply: Reply,
  zxid: Zxid,
): Code | undefined {
  const { path } = look;
  if (look.kind === "ancestor") return ancestorAnswered(turn, stream, path, reply);
  const entry = stream.entries.get(path);
  if (entry === undefined) return undefined;
  entry.asked -= 1;
  const isThere = reply.kind === "data" || reply.kind === "children" || reply.kind === "stat";
  if (path === stream.path && stream.walk?.isFirst === true) {
    checkRoot(turn, stream, isThere ? reply.stat : undefined);
  }
  switch (reply.kind) {
    case "data": {
      const { czxid } = reply.stat;
      const isSame = stream.known.get(path)?.czxid === czxid;
      if (!isSame && czxid > stream.after) noteChanged(stream, entry, czxid, true);
      if (stream.recursive && stream.walk?.isFirst === true) noteGap(stream, reply.stat);
      // Another one has none of the watches that its predecessor had. A question for its children that is on its way leaves one.
      if (!isSame && stream.recursive && !stream.staying && entry.asked === 0)
        entry.children = true;
      observeThere(stream, path, reply, deletionsOf(entry));
      forgetDeletions(entry);
      return undefined;
    }
    case "children":
      childrenAnswered(stream, entry, reply);
      return undefined;
    case "stat":
      entry.data = true;
      entry.children = stream.recursive;
      return undefined;
    case "error":
      return failed(stream, entry, look, reply.code, zxid);
    default:
      return undefined;
  }
}

function failed(
  stream: Stream,
  entry: Entry,
  look: Look,
  code: Code,
  zxid: Zxid,
): Code | undefined {
  const { path } = entry;
  const isRoot = path === stream.path;
  if (code === Code.noNode) {
    noteChanged(stream, entry, zxid, false);
    // The list of its parent's children comes later, and may have another one of its name.
    stream.walk?.listed.delete(path);
    observeGone(stream, path, zxid, deletionsOf(entry));
    // Watches that fire once are left at znodes; where there is none, only `exists` leaves one. Others are told of by their parents.
    entry.absence = isRoot && !stream.staying && look.kind !== "absence";
    return undefined;
  }
  // A client that may not read a znode is not told of it. If that is the one it asks for, it is told that.
  return isRoot ? code : undefined;
}

/** Events that came while the question was on its way are earlier than its answer. */
function deletionsOf({ deletedAt, next }: Entry): readonly Zxid[] {
  return [deletedAt, next?.deletedAt].filter((each) => each !== undefined);
}

/** The Stat of the znode says whether its data is worth asking for. */
function childrenAnswered(
  stream: Stream,
  entry: Entry,
  { stat, children }: Extract<Reply, { readonly kind: "children" }>,
): void {
  const { known, untaken, walk, staying, after } = stream;
  const { path, floor, ofWalk } = entry;
  const before = known.get(path);
  const isSame = before?.czxid === stat.czxid && before.mzxid === stat.mzxid && !untaken.has(path);
  const isOld = before === undefined && stat.czxid <= after && stat.mzxid <= after;
  if (isSame || isOld) {
    known.set(path, stat);
    forgetDeletions(entry);
  } else {
    entry.data = true;
  }
  if (walk?.isFirst === true || entry.isEarly) noteGap(stream, stat);
  if (!staying) noteBrief(stream, entry, stat);
  const below = path === "/" ? "/" : `${path}/`;
  for (const name of children) {
    const child = `${below}${name}`;
    // Where an event has asked for it, the walk waits for that too: it may have been created long before.
    const isOfWalk = stream.entries.get(child)?.ofWalk ?? true;
    const isDone = walk === undefined ? known.has(child) : walk.listed.has(child) && isOfWalk;
    if (isDone) continue;
    const isWalk = ofWalk && walk !== undefined;
    const how = { data: !staying, children: true, ofWalk: isWalk, isOlder: isOlder(entry) };
    want(stream, { path: child, floor, ...how });
  }
}

/**
 * Children may have been deleted since the stream's beginning, which nobody can know any more: some were created or deleted since, and
 * some were deleted at some time. `cversion` counts creates twice and is less by one for each child there is.
 */
function noteGap(stream: Stream, { pzxid, cversion, numChildren }: Stat): void {
  if (stream.isExact && pzxid > stream.after && cversion !== numChildren) stream.hasGap = true;
}

/** Children may have come and gone since the watch that fires once has fired, and before the znode was looked at. */
function noteBrief(stream: Stream, entry: Entry, { pzxid }: Stat): void {
  const { subscription, after } = stream;
  if (subscription === undefined) noteUnsure(stream, entry.floor, pzxid);
  else if (isOlder(entry) && pzxid > after) stream.hasGap = true;
}

/**
 * The znode is another one than when the stream looked last, or none. One that was there in between, and what it was when it was deleted,
 * cannot be told; neither can be when the one that the stream has seen was deleted, unless an event has named the zxid. The subscriber may
 * know that, or whoever takes the stream over.
 */
function noteChanged(stream: Stream, entry: Entry, zxid: Zxid, isThere: boolean): void {
  const { walk, isExact, known, subscription, after, staying } = stream;
  const { path, next } = entry;
  const each = next === undefined ? [entry] : [entry, next];
  // Each event of a deletion is of another znode. Watches that fire once do not tell of each.
  const deletions = each.reduce((sum, of) => sum + of.deletions, 0);
  const isKnown = known.has(path);
  const expected = isKnown ? 1 : 0;
  const isSure = staying && deletions === expected && deletionsOf(entry).length === expected;
  if (subscription === undefined) {
    if (!isSure || (!isKnown && !isThere)) noteUnsure(stream, entry.floor, zxid);
    return;
  }
  if (isOlder(entry)) stream.hasGap = true;
  if (walk?.isFirst !== true || !isExact) return;
  // The children that it had were not asked for, and had no watches.
  const hadChildren = (known.get(path)?.numChildren ?? 0) > 0;
  if (stream.recursive && !staying && hadChildren) stream.hasGap = true;
  if (isKnown || path === stream.path) return;
  const isDeletedSince = each.some(({ deletedBehind = -1 }) => deletedBehind >= after);
  if (!isThere || deletions > 1 || isDeletedSince) stream.hasGap = true;
}

/** Whether the znode itself was deleted since then, and perhaps created again, is to be seen at its parent. */
function checkRoot(turn: Turn, stream: Stream, stat: Stat | undefined): void {
  const { path, isExact, after, walk, known } = stream;
  const isSeen = known.has(path) || walk === undefined;
  if (!isExact || isSeen || path === "/" || (stat !== undefined && stat.czxid <= after)) return;
  askAncestor(turn, stream, parentOf(path));
}

function askAncestor(turn: Turn, stream: Stream, path: string): void {
  if (stream.walk === undefined) return;
  stream.walk.left += 1;
  askFor(turn, stream, { kind: "exists", path, watch: false }, { kind: "ancestor", path });
}

function ancestorAnswered(turn: Turn, stream: Stream, path: string, reply: Reply): undefined {
  if (stream.walk === undefined) return;
  stream.walk.left -= 1;
  if (reply.kind === "stat") noteGap(stream, reply.stat);
  else if (path !== "/") askAncestor(turn, stream, parentOf(path));
}
