/** Which znodes are to be looked at, and what is asked about each. */
import { earlierOf, type Zxid } from "../../../../protocol/zxid.ts";
import type { Entry, Stream } from "./state.ts";

export type Wanted = {
  readonly path: string;
  readonly floor: Zxid;
  readonly isDeleted?: boolean;
  readonly deletedAt?: Zxid | undefined;
  readonly isCreated?: boolean;
  readonly data?: boolean;
  readonly children?: boolean;
  readonly ofWalk?: boolean;
  readonly isOlder?: boolean;
  readonly isEarly?: boolean;
};

/** Notes that something happened to the znode, or that the walk has come to it. */
export function want(stream: Stream, wanted: Wanted): void {
  const { entries, toAsk, walk } = stream;
  const { path } = wanted;
  const known = entries.get(path);
  if (known === undefined) {
    entries.set(path, entryOf(wanted));
    if (wanted.ofWalk === true && walk !== undefined) walk.left += 1;
    toAsk.add(path);
  } else if (known.asked === 0 || wanted.ofWalk === true) {
    // The walk asks for what is not on its way yet: its answer comes later than what happened.
    add(known, wanted);
    toAsk.add(path);
    if (wanted.ofWalk !== true || known.ofWalk) return;
    known.ofWalk = true;
    if (walk !== undefined) walk.left += 1;
  } else if (known.next === undefined) {
    known.next = entryOf(wanted);
  } else {
    add(known.next, wanted);
  }
}

function entryOf(wanted: Wanted): Entry {
  const { path, floor, isDeleted, deletedAt, data, children, ofWalk } = wanted;
  const deletedBehind = isDeleted === true ? floor : undefined;
  const deletions = isDeleted === true ? 1 : 0;
  return {
    ...{ path, floor, deletedAt, deletedBehind, deletions, isAnother: false },
    ...{ data: data === true, children: children === true, absence: false },
    ...{ isOlder: wanted.isOlder === true, isEarly: wanted.isEarly === true },
    ...{ asked: 0, ofWalk: ofWalk === true, next: undefined },
  };
}

function add(entry: Entry, wanted: Wanted): void {
  const { floor, isDeleted, deletedAt, isCreated, data, children } = wanted;
  entry.isAnother ||= isCreated === true && entry.deletedBehind !== undefined;
  if (isDeleted === true) {
    entry.deletedBehind ??= floor;
    entry.deletions += 1;
  }
  entry.floor = earlierOf(entry.floor, floor);
  entry.deletedAt ??= deletedAt;
  entry.isOlder ||= wanted.isOlder === true;
  entry.isEarly ||= wanted.isEarly === true;
  entry.data ||= data === true;
  entry.children ||= children === true;
}

/** Events say that the znode was deleted by then, and none was created after it. */
export function isGoneBy({ deletedBehind, isAnother }: Entry, zxid: Zxid): boolean {
  return deletedBehind !== undefined && deletedBehind < zxid && !isAnother;
}

/** Whoever has taken the stream over may know of a znode of this path that the stream has not seen. */
export function isOlder(entry: Entry): boolean {
  return entry.isOlder || entry.next?.isOlder === true;
}

/** Whether the stream's subscriber, who has read at the stream's zxid or later, may have found the znode. */
export function mayHaveBeenRead({ path: root, after }: Stream, entry: Entry): boolean {
  if (entry.next !== undefined || entry.isOlder) return true;
  // The walk begins with the root, whether there is such a znode or not.
  const isOnlyLookedFor = entry.path === root && entry.ofWalk;
  return !isOnlyLookedFor && !isGoneBy(entry, after);
}

/** The znode is there, in an answer that is later than every event so far: whatever was deleted was another one. */
export function forgetDeletions(entry: Entry): void {
  for (const each of [entry, entry.next]) {
    if (each === undefined) continue;
    each.deletedAt = undefined;
    each.deletedBehind = undefined;
    each.deletions = 0;
    each.isAnother = false;
  }
}

/** All that was asked about the znode has been answered, unless an answer has raised another question. */
export function settleEntry(stream: Stream, entry: Entry): void {
  const { entries, toAsk, walk } = stream;
  const { path, next } = entry;
  if (entry.data || entry.children || entry.absence) {
    toAsk.add(path);
    return;
  }
  if (entry.asked > 0) return;
  entries.delete(path);
  if (entry.ofWalk && walk !== undefined) walk.left -= 1;
  if (next === undefined) return;
  entries.set(path, next);
  toAsk.add(path);
}

/** Up to which zxid everything that happened has been seen. `answered`: that of the latest answer, before which every event has come. */
export function seenThrough({ entries, walk, after }: Stream, answered: Zxid): Zxid {
  if (walk !== undefined && walk.left > 0) return after;
  let through = answered;
  for (const { floor, next } of entries.values()) {
    through = earlierOf(through, floor);
    // Who takes a stream over may begin before what is on its way.
    if (next !== undefined) through = earlierOf(through, next.floor);
  }
  return through;
}
