/**
 * Frames of changes in the native protocol, which are nearly all bytes that a gateway sends to its streams. They are written and read
 * field by field, without a list or an object that would only be there on the way: the general codec (`native.ts`) does the same with the
 * same bytes, and takes over wherever a frame holds anything unusual. A property test compares both.
 */
import { CborReader } from "./cbor-reader.ts";
import { CborWriter } from "./cbor-writer.ts";
import { CHANGE_KINDS } from "./native-packing.ts";
import type { Change } from "./reads.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

/** The code of a `changes` item. */
export const CHANGES = 14;
const STAT_FIELDS = 11;

const writer = new CborWriter();

/** Encodes a list of changes as it stands in a `changes` item. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  writer.array(changes.length);
  for (const change of changes) writeChange(writer, change);
  return writer.take();
}

function writeChange(to: CborWriter, { zxid, index, kind, path, stat, data }: Change): void {
  to.array(data === undefined ? 5 : 6);
  to.number(zxid);
  to.number(index);
  to.number(CHANGE_KINDS.indexOf(kind));
  to.text(path);
  to.array(STAT_FIELDS);
  to.number(stat.czxid);
  to.number(stat.mzxid);
  to.number(stat.ctime);
  to.number(stat.mtime);
  to.number(stat.version);
  to.number(stat.cversion);
  to.number(stat.aversion);
  to.number(stat.ephemeralOwner);
  to.number(stat.dataLength);
  to.number(stat.numChildren);
  to.number(stat.pzxid);
  if (data !== undefined) to.byteStringOrNull(data);
}

/** A `changes` item whose list has been encoded. Many streams may share the list. */
export type EncodedChanges = {
  readonly kind: "encodedChanges";
  readonly stream: number;
  readonly through: Zxid;
  readonly list: Uint8Array;
};

/** Encodes a frame of such items, and of others that are encoded as a whole. */
export function encodeFrameOf(
  sequence: number,
  items: readonly (EncodedChanges | Uint8Array)[],
): Uint8Array {
  writer.array(2);
  writer.number(sequence);
  writer.array(items.length);
  for (const item of items) {
    if (item instanceof Uint8Array) {
      writer.encoded(item);
      continue;
    }
    writer.array(4);
    writer.number(CHANGES);
    writer.number(item.stream);
    writer.number(item.through);
    writer.encoded(item.list);
  }
  return writer.take();
}

export type ChangesItem = {
  readonly kind: "changes";
  readonly stream: number;
  readonly through: Zxid;
  readonly changes: readonly Change[];
};

/**
 * Reads a frame that holds `changes` items only, as a gateway writes them. Returns undefined for any other, which the general decoder then
 * reads or refuses.
 */
export function readChangesFrame(
  bytes: Uint8Array,
): { readonly sequence: number; readonly items: readonly ChangesItem[] } | undefined {
  const reader = new CborReader(bytes);
  if (reader.arrayLength() !== 2) return undefined;
  const sequence = reader.count();
  const length = reader.arrayLength();
  const items: ChangesItem[] = [];
  for (let item = 0; item < length && !reader.failed; item += 1) {
    if (reader.arrayLength() !== 4 || reader.count() !== CHANGES) return undefined;
    const stream = reader.count();
    const through = reader.count() as Zxid;
    items.push({ kind: "changes", stream, through, changes: readChanges(reader) });
  }
  return reader.failed || !reader.atEnd ? undefined : { sequence, items };
}

function readChanges(from: CborReader): Change[] {
  const length = from.arrayLength();
  const changes: Change[] = [];
  for (let each = 0; each < length && !from.failed; each += 1) {
    const fields = from.arrayLength();
    const zxid = from.count() as Zxid;
    const index = from.count();
    const kind = CHANGE_KINDS[from.count()];
    const path = from.asciiText();
    const stat = readStat(from);
    if (kind === undefined || fields < 5 || fields > 6) from.fail();
    if (kind === undefined) break;
    if (fields === 5) changes.push({ zxid, index, kind, path, stat });
    else changes.push({ zxid, index, kind, path, stat, data: from.byteStringOrNull() });
  }
  return changes;
}

function readStat(from: CborReader): Stat {
  if (from.arrayLength() !== STAT_FIELDS) from.fail();
  return {
    czxid: from.integer() as Zxid,
    mzxid: from.integer() as Zxid,
    ctime: from.integer(),
    mtime: from.integer(),
    version: from.integer(),
    cversion: from.integer(),
    aversion: from.integer(),
    ephemeralOwner: from.integer(),
    dataLength: from.integer(),
    numChildren: from.integer(),
    pzxid: from.integer() as Zxid,
  };
}
