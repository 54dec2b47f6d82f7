/**
 * Change streams over ZooKeeper's protocol. Events of watches say that something happened to a znode; a look at it says what it is now. A
 * look is answered after every event of what was before it, so a zxid is safe to deliver up to when nothing that happened before it is
 * still to be looked at. Several changes of a znode between two looks are seen as the last one
 * (docs/client/zookeeper.md says what else is weaker than over NATS).
 */
import type { Code } from "../../../../protocol/codes.ts";
import { NATIVE_STREAMS_MAX } from "../../../../protocol/limits.ts";
import { parentOf } from "../../../../protocol/paths.ts";
import { WatchEventType } from "../../../../protocol/reads.ts";
import { OpCode } from "../../../../protocol/zookeeper/codes.ts";
import { type Zxid, ZXID_NONE } from "../../../../protocol/zxid.ts";
import type { Reply } from "../asks.ts";
import { ownPath, wholePath } from "../chroot.ts";
import type { StreamEnd } from "../../../session/messages.ts";
import type { SessionMessage, Subscribe } from "../messages.ts";
import { ask } from "../settling.ts";
import { flushSoon, STREAM_CREDITS, type Turn } from "../state.ts";
import type { StreamAsk } from "./asks.ts";
import { catchUp, caughtUp, holdBack, wantSync } from "./ahead.ts";
import { isOlder, mayHaveBeenRead, seenThrough, settleEntry, want } from "./entries.ts";
import { askAbout, lookAnswered } from "./looks.ts";
import { adopt, adoptable, dropLate, LINGER_MS } from "./lingering.ts";
import { deepestFirst, inOrder } from "./observe.ts";
import { withParents } from "./parents.ts";
import type { Seen, Stream } from "./state.ts";

export function subscribe(turn: Turn, wish: Subscribe): void {
  const { state, effects } = turn;
  const { streams } = state;
  const { subscription } = wish;
  if (streams.bySubscription.size + streams.ahead.size >= NATIVE_STREAMS_MAX) {
    effects.push({
      kind: "endSubscriptions",
      subscriptions: [subscription],
      end: { kind: "tooMany" },
    });
    return;
  }
  if (!holdBack(turn, wish)) follow(turn, wish);
}

/** The subscriber takes over a stream of the path that nobody has, or has a new one. */
function follow(turn: Turn, wish: Subscribe): void {
  const { state } = turn;
  const { streams, options } = state;
  const { subscription, recursive, after } = wish;
  const path = wholePath(options.chroot, wish.path);
  const lingering = adoptable(streams, { path, recursive, after });
  if (lingering !== undefined) {
    adopt(lingering, wish, turn.state.lastZxid);
    streams.bySubscription.set(subscription, lingering);
    touch(turn, lingering);
    return;
  }
  const stream: Stream = {
    ...{ number: streams.next, path, recursive, subscription, lingersUntilMs: Infinity, after },
    ...{
      startedAt: Infinity as Zxid,
      isWalked: false,
      hasGap: false,
      goneBy: ZXID_NONE,
      isExact: wish.isExact,
      round: 0,
      staying: true,
      walk: undefined,
    },
    ...{
      givenThrough: undefined,
      known: new Map(),
      untaken: new Set(),
      entries: new Map(),
      unseen: new Map(),
      toAsk: new Set(),
      asked: 0,
    },
    ...{ seen: [], deletions: [], unsure: [], unconsumed: 0 },
  };
  streams.next += 1;
  streams.byNumber.set(stream.number, stream);
  streams.bySubscription.set(subscription, stream);
  const alike = streams.byPath.get(path) ?? new Set();
  streams.byPath.set(path, alike.add(stream));
  const { link } = state;
  if (link.kind === "open" && link.ready) begin(turn, stream);
}

/** The watch comes before the first look: what happens after the look is told by it. */
function begin(turn: Turn, stream: Stream): void {
  const { requests, streams } = turn.state;
  const { path, recursive, known, after, toAsk, entries } = stream;
  stream.round += 1;
  stream.asked = 0;
  stream.staying = !requests.unknown.has(OpCode.addWatch);
  entries.clear();
  toAsk.clear();
  if (!stream.isWalked) {
    // A first walk that was cut short begins again.
    known.clear();
    stream.untaken.clear();
    stream.seen = [];
    stream.hasGap = false;
  }
  stream.walk = { isFirst: !stream.isWalked, left: 0, listed: new Set() };
  const isWatched = streams.watched.get(path);
  if (stream.staying && (isWatched === undefined || (recursive && !isWatched))) {
    streams.watched.set(path, recursive);
    const mode = recursive ? "persistentRecursive" : "persistent";
    ask(
      turn,
      { kind: "addWatch", path, mode },
      { kind: "stream", asked: { kind: "watch" } },
      "last",
    );
  }
  const data = !recursive || !stream.staying;
  for (const each of deepestFirst(new Set([path, ...known.keys()]))) {
    want(stream, { path: each, floor: after, data, children: recursive, ofWalk: true });
  }
  touch(turn, stream);
}

export function unsubscribe(turn: Turn, subscription: number): void {
  const { streams } = turn.state;
  const stream = streams.bySubscription.get(subscription);
  streams.ahead.delete(subscription);
  if (stream === undefined) return;
  streams.bySubscription.delete(subscription);
  remove(turn, stream);
}

/** Nobody needs the watch if there is no other stream of the path. */
function remove(turn: Turn, stream: Stream): void {
  const { state } = turn;
  const { streams, requests } = state;
  const { path } = stream;
  streams.byNumber.delete(stream.number);
  streams.touched.delete(stream);
  const alike = streams.byPath.get(path);
  alike?.delete(stream);
  if (alike !== undefined && alike.size > 0) return;
  streams.byPath.delete(path);
  const isWatched = streams.watched.delete(path);
  if (!isWatched || state.over !== undefined || requests.unknown.has(OpCode.removeWatches)) return;
  const { link } = state;
  if (link.kind !== "open") return;
  ask(
    turn,
    { kind: "removeWatches", path },
    { kind: "stream", asked: { kind: "unwatch" } },
    "last",
  );
}

/** So many changes were consumed. */
export function consumed(
  turn: Turn,
  { subscription, changes }: Extract<SessionMessage, { readonly kind: "consumed" }>,
): void {
  const stream = turn.state.streams.bySubscription.get(subscription);
  if (stream === undefined) return;
  stream.unconsumed -= changes;
  touch(turn, stream);
}

/**
 * The connection is lost, and with it its watches and what was asked. What has been seen stays seen. A stream without a subscriber has lost
 * what it was kept for: it cannot say any more when znodes were deleted.
 */
export function loseStreams(turn: Turn): void {
  const { streams } = turn.state;
  streams.watched.clear();
  streams.touched.clear();
  for (const stream of streams.byNumber.values()) {
    if (stream.subscription === undefined) {
      remove(turn, stream);
      continue;
    }
    stream.round += 1;
    for (const [path, entry] of stream.entries) {
      // Watches that fire once may not have told of all of its children.
      if (!stream.staying && isOlder(entry)) stream.hasGap = true;
      if (stream.known.has(path) || !mayHaveBeenRead(stream, entry)) continue;
      // What a connection before this one has said of the znode still holds: nobody has looked at it since.
      const createdBy = isOlder(entry) ? stream.after : Infinity;
      stream.unseen.set(path, Math.min(createdBy, stream.unseen.get(path) ?? Infinity));
    }
    stream.entries.clear();
    stream.toAsk.clear();
    stream.walk = undefined;
  }
}

/** There is another connection: each stream looks at all of its znodes again. */
export function resumeStreams(turn: Turn): void {
  for (const stream of turn.state.streams.byNumber.values()) begin(turn, stream);
  wantSync(turn);
}

export function endStreams({ state, effects }: Turn, end: StreamEnd): void {
  const { streams } = state;
  for (const subscription of [...streams.bySubscription.keys(), ...streams.ahead.keys()]) {
    effects.push({ kind: "endSubscriptions", subscriptions: [subscription], end });
  }
  const { byNumber, bySubscription, byPath, ahead } = streams;
  for (const each of [byNumber, bySubscription, byPath, ahead]) each.clear();
  streams.touched.clear();
}

/** Streams that nobody has begun again are given up. */
export function sweepStreams(turn: Turn): void {
  for (const stream of turn.state.streams.byNumber.values()) {
    dropLate(stream, () => remove(turn, stream), turn.nowMs);
  }
}

/** An event came. It is later than every answer so far. */
export function watchFired(
  turn: Turn,
  { type, path, zxid }: { readonly type: number; readonly path: string; readonly zxid: Zxid },
): void {
  const { streams, lastZxid } = turn.state;
  const isNamed = zxid > ZXID_NONE;
  const floor = isNamed && zxid - 1 > lastZxid ? ((zxid - 1) as Zxid) : lastZxid;
  const isDeleted = type === WatchEventType.nodeDeleted;
  const deletedAt = isNamed && isDeleted ? zxid : undefined;
  const isOfChildren = type === WatchEventType.nodeChildrenChanged;
  if (!EVENT_TYPES.includes(type)) return;
  for (let at = path; ; at = parentOf(at)) {
    for (const stream of streams.byPath.get(at) ?? []) {
      if (at !== path && !stream.recursive) continue;
      // A znode that was deleted may be there again, without the watches that were left at it.
      const isOfData = type === WatchEventType.nodeDataChanged;
      const children = stream.recursive && !stream.staying && !isOfData;
      if (isOfChildren && !children) continue;
      const how = { isDeleted, deletedAt, isCreated: type === WatchEventType.nodeCreated };
      const isEarly = stream.walk?.isFirst === true;
      want(stream, { path, floor, ...how, data: !isOfChildren, children, isEarly });
      touch(turn, stream);
    }
    if (at === "/") return;
  }
}

const EVENT_TYPES: readonly number[] = Object.values(WatchEventType);

/** Takes the answer to what a stream has asked. */
export function streamAnswered(turn: Turn, asked: StreamAsk, reply: Reply, zxid: Zxid): void {
  if (!("stream" in asked)) return;
  const stream = turn.state.streams.byNumber.get(asked.stream);
  if (stream === undefined || stream.round !== asked.round) return;
  stream.asked -= 1;
  const code = lookAnswered(turn, stream, asked, reply, zxid);
  if (code !== undefined) return refuse(turn, stream, code);
  const entry = stream.entries.get(asked.path);
  if (asked.kind !== "ancestor" && entry !== undefined) settleEntry(stream, entry);
  touch(turn, stream);
}

/** The client may not look at the znode that the stream is about. */
function refuse(turn: Turn, stream: Stream, code: Code): void {
  const path = ownPath(turn.state.options.chroot, stream.path);
  end(turn, stream, { kind: "refused", code, path });
  remove(turn, stream);
}

function end({ state, effects }: Turn, stream: Stream, last: StreamEnd): void {
  const { subscription } = stream;
  stream.subscription = undefined;
  if (subscription === undefined) return;
  state.streams.bySubscription.delete(subscription);
  effects.push({ kind: "endSubscriptions", subscriptions: [subscription], end: last });
}

/**
 * A stream may have come further without a change: the session has come to a later zxid, or a look that held the stream back has been
 * answered. What others have changed elsewhere makes no event, and subscribers may wait for a zxid.
 */
export function planProgress({ state, nowMs }: Turn): void {
  const { streams } = state;
  if (streams.bySubscription.size === 0 || streams.progressAtMs !== Infinity) return;
  streams.progressAtMs = nowMs + PROGRESS_MS;
}

/** Tells each subscriber how far its stream has come, if that is due. */
export function tellProgress(turn: Turn): void {
  const { streams, link } = turn.state;
  if (turn.nowMs < streams.progressAtMs) return;
  streams.progressAtMs = Infinity;
  // Without a connection nobody knows what was still to be looked at; the streams look at everything on the next one.
  if (link.kind !== "open" || !link.ready) return;
  for (const stream of streams.bySubscription.values()) {
    if (stream.walk !== undefined || stream.givenThrough === undefined) continue;
    deliver(turn, stream, true);
  }
}

/** Subscribers hear of progress without a change at most once in so many milliseconds. */
const PROGRESS_MS = 100;

function touch(turn: Turn, stream: Stream): void {
  turn.state.streams.touched.add(stream);
  flushSoon(turn);
}

/** Delivers what is safe to deliver, and asks for more. Who has waited for the session begins. */
export function flushStreams(turn: Turn): void {
  const { streams, link } = turn.state;
  if (link.kind !== "open" || !link.ready) return;
  for (const wish of caughtUp(turn)) follow(turn, wish);
  catchUp(turn);
  for (const stream of streams.touched) {
    deliver(turn, stream);
    if (streams.byNumber.has(stream.number)) askMore(turn, stream);
  }
  streams.touched.clear();
}

function askMore(turn: Turn, stream: Stream): void {
  const { streamCredits = STREAM_CREDITS } = turn.state.options;
  if (stream.subscription === undefined || stream.unconsumed < streamCredits)
    askAbout(turn, stream);
}

function deliver(turn: Turn, stream: Stream, isProgress = false): void {
  const { state, nowMs, effects } = turn;
  const { walk, after, subscription } = stream;
  if (walk !== undefined) {
    if (walk.left > 0) return;
    stream.walk = undefined;
    stream.isWalked = true;
    noteLost(stream);
  }
  if (stream.hasGap && subscription !== undefined) return linger(turn, stream, nowMs);
  const through = seenThrough(stream, state.lastZxid);
  if (through < after || through < stream.goneBy) return;
  const isDue = ({ zxid }: Seen): boolean => zxid > after && zxid <= through;
  const due = withParents(stream, stream.seen.filter(isDue).sort(inOrder));
  stream.after = through;
  if (stream.seen.length > 0) stream.seen = stream.seen.filter(({ zxid }) => zxid > through);
  if (subscription === undefined) {
    stream.deletions.push(...due.filter(({ kind }) => kind === "deleted"));
    return dropLate(stream, () => remove(turn, stream), nowMs);
  }
  const { givenThrough } = stream;
  if (due.length === 0 && givenThrough !== undefined) {
    if (givenThrough >= through) return;
    // The last time that was due, a look without an answer may have held the stream back.
    if (!isProgress) return planProgress(turn);
  }
  stream.givenThrough = through;
  stream.unconsumed += due.length;
  const changes = numbered(due, state.options.chroot);
  effects.push({ kind: "deliver", subscription, changes, through });
}

/** The znodes have been looked at again after a reconnect. */
function noteLost(stream: Stream): void {
  const { unseen, known, isExact } = stream;
  for (const [path, createdBy] of unseen) {
    const stat = known.get(path);
    if (isExact && (stat === undefined || stat.czxid > createdBy)) stream.hasGap = true;
  }
  unseen.clear();
}

/**
 * The stream cannot begin where its subscriber wants it to. It goes on, since the subscriber will read and begin again. What was deleted
 * before the latest answer may never have been seen, also where an event of it has still to be looked at.
 */
function linger(turn: Turn, stream: Stream, nowMs: number): void {
  const oldest = turn.state.lastZxid;
  stream.after = seenThrough(stream, oldest);
  stream.seen = [];
  stream.startedAt = oldest;
  stream.unsure = [];
  stream.lingersUntilMs = nowMs + LINGER_MS;
  end(turn, stream, { kind: "compacted", oldest });
}

/** Gives each its position among those of the same zxid, and the path that the caller knows. */
function numbered(
  due: readonly Seen[],
  chroot: string,
): readonly (Seen & { readonly index: number })[] {
  let last: Zxid | undefined;
  let index = 0;
  return due.map((each) => {
    index = each.zxid === last ? index + 1 : 0;
    last = each.zxid;
    return { ...each, index, path: ownPath(chroot, each.path) };
  });
}
