/**
 * The recent changes, limited in bytes, from which change streams are fed. The entries are columns of numbers in segments, and their
 * paths and data are copied one behind the other: nothing is allocated for a change, and a `Change` is built only when a stream reads
 * it. The oldest segment is dropped first.
 */
import type { Acl } from "../../../protocol/acl.ts";
import { aclHeapBytes } from "./acl-lists.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";

const SEGMENT_ENTRIES = 512;
const COLUMNS = 17;
/** The bytes of an entry: its columns, without its path and its data. */
const ENTRY_BYTES: number = COLUMNS * 8;
/** What an entry takes for having lists. */
const LISTS_BYTES = 96;
const COPY_BYTES: number = 64 * 1024;
/** Data that is larger is not copied: whoever adds the change never overwrites it. */
export const CHANGE_DATA_COPIED_MAX = 2048;
const ASCII_END = 0x80;

/** What a change was, and whether it is closed: not everybody may read the znode after it. */
export type ChangeKind = Pick<ChangeContent, "kind" | "isClosed">;

const CREATED: ChangeKind = { kind: "created", isClosed: false };
const KINDS = ["created", "deleted", "data", "acl"] as const;
/** By the number that an entry has, so that none is made for a change that is only looked at. */
const CHANGE_KINDS: readonly ChangeKind[] = [false, true].flatMap((isClosed) =>
  KINDS.map((kind) => ({ kind, isClosed })),
);
const KIND_NUMBERS = { created: 0, deleted: 1, data: 2, acl: 3 } as const;
/** Is added to the number of the kind where the change is closed. */
const CLOSED = 4;

/** What a change was, whatever its zxid. */
export type ChangeContent = {
  readonly kind: Change["kind"];
  readonly path: string;
  /** The znode's after the change, or before its deletion. */
  readonly stat: Stat;
  /** The data, if the znode was created or its data has changed. */
  readonly data: Uint8Array | null;
  /** Not everybody may read the znode after the change. */
  readonly isClosed: boolean;
  /** Default: the open ones. */
  readonly lists?: ChangeLists | undefined;
};

/** The access control lists of the znode and of its parent, when the change was made. */
export type ChangeLists = { readonly acl: readonly Acl[]; readonly parentAcl: readonly Acl[] };

/** Where the data of an entry is, in the place of its length: there is none, or it was not copied. */
const DATA_NULL = -1;
const DATA_KEPT = -2;

type Segment = {
  count: number;
  bytes: number;
  lastZxid: Zxid;
  readonly numbers: Float64Array;
  readonly copies: Buffer[];
  /** How many bytes of the last of `copies` are used. */
  used: number;
  /** Whether a stream has views of `copies`, which then cannot be used again. */
  isViewed: boolean;
  /** Large data by the number of the entry. */
  readonly kept: Map<number, Uint8Array>;
  /** Lists that are not the open ones by the number of the entry. Lists that are alike are one object. */
  readonly lists: Map<number, ChangeLists>;
};

export type ChangeRing = {
  readonly bytesMax: number;
  readonly segmentEntries: number;
  /** The ring holds every change after this zxid. */
  oldest: Zxid;
  bytes: number;
  readonly segments: Segment[];
  spare: Segment | undefined;
};

export function createRing(bytesMax: number): ChangeRing {
  // A small ring has small segments, so that only a small share of it is dropped at a time.
  const segmentEntries = Math.min(
    SEGMENT_ENTRIES,
    Math.max(1, Math.floor(bytesMax / ENTRY_BYTES / 8)),
  );
  return { bytesMax, segmentEntries, oldest: ZXID_NONE, bytes: 0, segments: [], spare: undefined };
}

export function appendChange(ring: ChangeRing, zxid: Zxid, change: ChangeContent): void {
  const { kind, path, stat, data, isClosed, lists } = change;
  const segment = openSegment(ring);
  const { numbers, count } = segment;
  const at = count * COLUMNS;
  numbers[at] = zxid;
  numbers[at + 1] = stat.czxid;
  numbers[at + 2] = stat.mzxid;
  numbers[at + 3] = stat.ctime;
  numbers[at + 4] = stat.mtime;
  numbers[at + 5] = stat.version;
  numbers[at + 6] = stat.cversion;
  numbers[at + 7] = stat.aversion;
  numbers[at + 8] = stat.ephemeralOwner;
  numbers[at + 9] = stat.numChildren;
  numbers[at + 10] = stat.pzxid;
  numbers[at + 11] = stat.dataLength;
  numbers[at + 12] = KIND_NUMBERS[kind] + (isClosed ? CLOSED : 0);
  const isKept = data !== null && data.length > CHANGE_DATA_COPIED_MAX;
  const copied = isKept || data === null ? 0 : data.length;
  const copy = copyWith(segment, path.length * 3 + copied);
  const start = segment.used;
  const end = start + writeText(copy, start, path);
  if (lists !== undefined) segment.lists.set(count, lists);
  if (isKept) segment.kept.set(count, data);
  else if (data !== null) copy.set(data, end);
  segment.used = end + copied;
  numbers[at + 13] = segment.copies.length - 1;
  numbers[at + 14] = start;
  numbers[at + 15] = end;
  numbers[at + 16] = data === null ? DATA_NULL : isKept ? DATA_KEPT : copied;
  segment.count += 1;
  segment.lastZxid = zxid;
  const listed = lists === undefined ? 0 : listsBytes(lists);
  const bytes = ENTRY_BYTES + path.length + (data === null ? 0 : data.length) + listed;
  segment.bytes += bytes;
  ring.bytes += bytes;
  while (ring.bytes > ring.bytesMax) dropOldest(ring);
}

/** What the lists of an entry may take: they may be the only ones that are alike. */
function listsBytes({ acl, parentAcl }: ChangeLists): number {
  return LISTS_BYTES + aclHeapBytes(acl) + aclHeapBytes(parentAcl);
}

/** Returns the buffer for the next copy, with space for so many bytes from `used` on. */
function copyWith(segment: Segment, bytes: number): Buffer {
  const last = segment.copies.at(-1);
  if (last !== undefined && segment.used + bytes <= last.length) return last;
  const added = Buffer.allocUnsafeSlow(Math.max(bytes, COPY_BYTES));
  segment.copies.push(added);
  segment.used = 0;
  return added;
}

function writeText(to: Buffer, start: number, text: string): number {
  // Nearly all paths are ASCII, and for these the loop is faster than a call of native code.
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= ASCII_END) return to.write(text, start, "utf8");
    to[start + index] = unit;
  }
  return text.length;
}

function openSegment(ring: ChangeRing): Segment {
  const last = ring.segments.at(-1);
  if (last !== undefined && last.count < ring.segmentEntries) return last;
  const segment = ring.spare ?? {
    count: 0,
    bytes: 0,
    lastZxid: ZXID_NONE,
    numbers: new Float64Array(ring.segmentEntries * COLUMNS),
    copies: [],
    used: 0,
    isViewed: false,
    kept: new Map(),
    lists: new Map(),
  };
  ring.spare = undefined;
  ring.segments.push(segment);
  return segment;
}

/**
 * Drops the oldest segment. It may end between two changes of one zxid: `oldest` is then that zxid, so no stream is given the rest of
 * its changes.
 */
function dropOldest(ring: ChangeRing): void {
  const segment = ring.segments.shift();
  if (segment === undefined) return;
  ring.oldest = segment.lastZxid;
  ring.bytes -= segment.bytes;
  segment.count = 0;
  segment.bytes = 0;
  segment.copies.length = segment.isViewed ? 0 : Math.min(segment.copies.length, 1);
  segment.used = 0;
  segment.isViewed = false;
  segment.kept.clear();
  segment.lists.clear();
  ring.spare = segment;
}

/**
 * Calls `visit` for each change after `after`, which is `oldest` or later, in order, until it returns "enough". `visit` calls `build` for what it
 * wants to keep.
 */
export function visitChanges(
  ring: ChangeRing,
  after: Zxid,
  visit: (
    path: string,
    zxid: Zxid,
    build: () => Change,
    about: ChangeKind,
    lists: ChangeLists | undefined,
  ) => void | "enough",
): void {
  let zxidBefore: number = ZXID_NONE;
  let index = 0;
  for (const segment of ring.segments) {
    if (segment.lastZxid <= after) continue;
    for (let entry = entryAfter(segment, after); entry < segment.count; entry++) {
      const zxid = segment.numbers[entry * COLUMNS] as Zxid;
      index = zxid === zxidBefore ? index + 1 : 0;
      zxidBefore = zxid;
      const position = index;
      const path = pathAt(segment, entry);
      const build = (): Change => changeAt(segment, entry, position, path);
      const lists = segment.lists.get(entry);
      if (visit(path, zxid, build, kindAt(segment, entry), lists) === "enough") return;
    }
  }
}

/** Returns the first entry after the zxid. It is looked for from the end, since what is asked for is mostly what came last. */
function entryAfter({ numbers, count }: Segment, zxid: Zxid): number {
  let entry = count;
  while (entry > 0 && (numbers[(entry - 1) * COLUMNS] ?? 0) > zxid) entry -= 1;
  return entry;
}

/** The number of changes after `after`, or somewhat more: each segment counts as a whole. */
export function changesAfter(ring: ChangeRing, after: Zxid): number {
  let count = 0;
  for (const segment of ring.segments) if (segment.lastZxid > after) count += segment.count;
  return count;
}

/** Returns a zxid after which there are so many changes, or somewhat fewer; `oldest` if the ring holds no more than that. */
export function zxidBefore(ring: ChangeRing, changes: number): Zxid {
  let left = changes;
  for (const segment of ring.segments.toReversed()) {
    if (left < segment.count) {
      return segment.numbers[(segment.count - 1 - left) * COLUMNS] as Zxid;
    }
    left -= segment.count;
  }
  return ring.oldest;
}

function kindAt({ numbers }: Segment, entry: number): ChangeKind {
  return CHANGE_KINDS[numbers[entry * COLUMNS + 12] ?? 0] ?? CREATED;
}

function pathAt({ numbers, copies }: Segment, entry: number): string {
  const at = entry * COLUMNS;
  const copy = copies[numbers[at + 13] ?? 0];
  return copy?.toString("utf8", numbers[at + 14], numbers[at + 15]) ?? "";
}

function changeAt(segment: Segment, entry: number, index: number, path: string): Change {
  const at = entry * COLUMNS;
  const column = (offset: number): number => segment.numbers[at + offset] ?? 0;
  const { kind } = kindAt(segment, entry);
  const change: Change = {
    zxid: column(0) as Zxid,
    index,
    kind,
    path,
    stat: {
      czxid: column(1) as Zxid,
      mzxid: column(2) as Zxid,
      ctime: column(3),
      mtime: column(4),
      version: column(5),
      cversion: column(6),
      aversion: column(7),
      ephemeralOwner: column(8),
      dataLength: column(11),
      numChildren: column(9),
      pzxid: column(10) as Zxid,
    },
  };
  if (kind !== "created" && kind !== "data") return change;
  return { ...change, data: dataAt(segment, entry) };
}

function dataAt(segment: Segment, entry: number): Uint8Array | null {
  const at = entry * COLUMNS;
  const length = segment.numbers[at + 16] ?? DATA_NULL;
  if (length === DATA_NULL) return null;
  if (length === DATA_KEPT) return segment.kept.get(entry) ?? null;
  const copy = segment.copies[segment.numbers[at + 13] ?? 0];
  const end = segment.numbers[at + 15] ?? 0;
  segment.isViewed = true;
  // The view is no Buffer, as no data of a znode is.
  return copy === undefined ? null : new Uint8Array(copy.buffer, copy.byteOffset + end, length);
}
