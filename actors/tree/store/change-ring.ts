/**
 * The recent changes, limited in bytes, from which change streams are fed. The entries are columns of numbers in segments: nothing is
 * allocated for a change, and a `Change` is built only when a stream reads it. The oldest segment is dropped first.
 */
import type { Change } from "../../../protocol/reads.ts";
import { ZXID_NONE, type Zxid } from "../../../protocol/zxid.ts";
import { cversionOf, type Znode } from "./znodes.ts";

const SEGMENT_ENTRIES = 512;
const COLUMNS = 12;
/** The bytes of an entry: its columns and two references, without its path and its data. */
const ENTRY_BYTES: number = COLUMNS * 8 + 16;

const KINDS: readonly Change["kind"][] = ["created", "deleted", "data", "acl"];
const KIND_NUMBERS = { created: 0, deleted: 1, data: 2, acl: 3 } as const;

type Segment = {
  count: number;
  bytes: number;
  lastZxid: Zxid;
  readonly numbers: Float64Array;
  readonly paths: string[];
  readonly data: (Uint8Array | null)[];
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

/** Adds a change. `znode` is as it is after the change, or as it was before its deletion. */
export function appendChange(
  ring: ChangeRing,
  zxid: Zxid,
  kind: Change["kind"],
  znode: Znode,
): void {
  const segment = openSegment(ring);
  const { numbers } = segment;
  const at = segment.count * COLUMNS;
  numbers[at] = zxid;
  numbers[at + 1] = znode.czxid;
  numbers[at + 2] = znode.mzxid;
  numbers[at + 3] = znode.ctime;
  numbers[at + 4] = znode.mtime;
  numbers[at + 5] = znode.version;
  numbers[at + 6] = cversionOf(znode);
  numbers[at + 7] = znode.aversion;
  numbers[at + 8] = znode.ephemeralOwner;
  numbers[at + 9] = znode.numChildren;
  numbers[at + 10] = znode.pzxid;
  numbers[at + 11] = KIND_NUMBERS[kind];
  segment.paths[segment.count] = znode.path;
  segment.data[segment.count] = znode.data;
  segment.count += 1;
  segment.lastZxid = zxid;
  const bytes = ENTRY_BYTES + znode.path.length + (znode.data === null ? 0 : znode.data.length);
  segment.bytes += bytes;
  ring.bytes += bytes;
  while (ring.bytes > ring.bytesMax) dropOldest(ring);
}

function openSegment(ring: ChangeRing): Segment {
  const last = ring.segments.at(-1);
  if (last !== undefined && last.count < ring.segmentEntries) return last;
  const segment = ring.spare ?? {
    count: 0,
    bytes: 0,
    lastZxid: ZXID_NONE,
    numbers: new Float64Array(ring.segmentEntries * COLUMNS),
    paths: [],
    data: [],
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
  segment.paths.length = 0;
  segment.data.length = 0;
  ring.spare = segment;
}

/** Calls `visit` for each change after `after`, which is `oldest` or later, in order. `visit` calls `build` for what it wants to keep. */
export function visitChanges(
  ring: ChangeRing,
  after: Zxid,
  visit: (path: string, zxid: Zxid, build: () => Change) => void,
): void {
  let zxidBefore: number = ZXID_NONE;
  let index = 0;
  for (const segment of ring.segments) {
    if (segment.lastZxid <= after) continue;
    for (let entry = 0; entry < segment.count; entry++) {
      const zxid = segment.numbers[entry * COLUMNS] as Zxid;
      index = zxid === zxidBefore ? index + 1 : 0;
      zxidBefore = zxid;
      if (zxid <= after) continue;
      const position = index;
      visit(segment.paths[entry] ?? "", zxid, () => changeAt(segment, entry, position));
    }
  }
}

function changeAt(segment: Segment, entry: number, index: number): Change {
  const at = entry * COLUMNS;
  const column = (offset: number): number => segment.numbers[at + offset] ?? 0;
  const kind = KINDS[column(11)] ?? "data";
  const data = segment.data[entry] ?? null;
  const change: Change = {
    zxid: column(0) as Zxid,
    index,
    kind,
    path: segment.paths[entry] ?? "",
    stat: {
      czxid: column(1) as Zxid,
      mzxid: column(2) as Zxid,
      ctime: column(3),
      mtime: column(4),
      version: column(5),
      cversion: column(6),
      aversion: column(7),
      ephemeralOwner: column(8),
      dataLength: data === null ? 0 : data.length,
      numChildren: column(9),
      pzxid: column(10) as Zxid,
    },
  };
  return kind === "created" || kind === "data" ? { ...change, data } : change;
}
