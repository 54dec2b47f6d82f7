/**
 * Walks through the log with the log actor's own scan. Where that stops at damage, the walk notes it and goes on at the next
 * intact write header, so that one damaged place does not hide another.
 */
import { segmentName } from "../../actors/log/format/files.ts";
import { WRITE_HEADER_BYTES } from "../../actors/log/format/write-header.ts";
import { LogStop, type Procedure } from "../../actors/log/format/procedure.ts";
import {
  firstPrevZxid,
  prevZxidAt,
  type ScannedRecord,
  scanSegment,
  type SegmentEnd,
} from "../../actors/log/format/scan.ts";
import { type Crc32, recordHeader } from "../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { Finding, SegmentFacts } from "./findings.ts";

/** Damaged places that are told one by one in one segment; each costs a look at all that follows. */
const FAULTS_MAX = 50;

export type SegmentFile = { readonly file: string; readonly size: number };

/** A view of the record that is good during the call only. */
export type OnRecord = (file: string, record: ScannedRecord, bytes: Uint8Array) => void;

/** Where the walk along the log stands, and what it found. */
export type Chain = {
  readonly crc32: Crc32;
  readonly onRecord: OnRecord;
  /** Of the record before. */
  lastZxid: Zxid;
  /** Records after `after` up to `upTo` are damaged or missing. */
  readonly gaps: { readonly after: Zxid; readonly upTo: Zxid }[];
  readonly segments: SegmentFacts[];
  readonly problems: Finding[];
  readonly notices: Finding[];
};

export function beginChain(base: Zxid, crc32: Crc32, onRecord: OnRecord): Chain {
  return { crc32, onRecord, lastZxid: base, gaps: [], segments: [], problems: [], notices: [] };
}

/** The segments in the order of their names, from the record after `chain.lastZxid` on. */
export function* walkSegments(chain: Chain, files: readonly SegmentFile[]): Procedure {
  for (const [position, file] of files.entries()) {
    const next = files[position + 1];
    const nextPrev =
      next === undefined
        ? undefined
        : yield* unlessUnreadable(firstPrevZxid(next.file, chain.crc32));
    const walk = { ...file, isLast: next === undefined, nextPrev, from: 0, gapAt: undefined };
    try {
      yield* walkSegment(chain, walk);
    } catch (error) {
      const zxid = chain.lastZxid;
      chain.problems.push({ kind: "fileUnreadable", file: file.file, zxid, what: whyNot(error) });
      chain.lastZxid = lose(chain, nextPrev);
    }
  }
}

/** One segment, and where its walk stands. */
type Walk = SegmentFile & {
  readonly isLast: boolean;
  /** The zxid that the next segment follows, if it says so. */
  readonly nextPrev: Zxid | undefined;
  from: number;
  /** Where a gap was found last: something that does not fit there either is damaged. */
  gapAt: number | undefined;
};

function* walkSegment(chain: Chain, walk: Walk): Procedure {
  const { file, size } = walk;
  const count = new SegmentCount();
  const problemsMax = chain.problems.length + FAULTS_MAX;
  let scanned: SegmentEnd;
  for (;;) {
    scanned = yield* scanSegment(
      { file, size, lastZxid: chain.lastZxid, from: walk.from },
      chain.crc32,
      (record, bytes) => {
        count.take(record, bytes);
        chain.lastZxid = record.lastZxid;
        chain.onRecord(file, record, bytes);
      },
    );
    const isSound = !scanned.wasDurable && !scanned.begun;
    if (scanned.dirtyBytes === 0 || (isSound && !walk.isLast)) break;
    const next = yield* goOn(chain, walk, scanned);
    if (next === undefined) break;
    walk.from = next;
    if (chain.problems.length < problemsMax) continue;
    note(chain, walk, scanned, "faultsOmitted", "more damaged places may follow in this file");
    break;
  }
  judgeWhole(chain, walk, count, scanned);
  chain.segments.push(count.facts(walk, scanned));
}

/** Notes what stops the scan. Where to go on, after `chain.lastZxid` was set to what is followed there; undefined: nowhere. */
function* goOn(chain: Chain, walk: Walk, scanned: SegmentEnd): Procedure<number | undefined> {
  const { end, fault, follows, nextWriteHeader } = scanned;
  const isGap = follows !== undefined && follows !== chain.lastZxid && walk.gapAt !== end;
  if (isGap) {
    walk.gapAt = end;
    noteGap(chain, walk, scanned, follows);
    return end;
  }
  const found = follows === undefined ? said(fault) : "what stands here belongs elsewhere";
  // A segment gets its name when its first records are durable in it.
  const isUnbegun = walk.from === 0 && end === 0;
  if (nextWriteHeader === undefined && walk.isLast && follows === undefined && !isUnbegun) {
    noteTorn(chain, walk, scanned, found);
    return undefined;
  }
  const upTo =
    nextWriteHeader === undefined
      ? walk.nextPrev
      : yield* prevZxidAt(walk.file, nextWriteHeader, chain.crc32);
  const after = chain.lastZxid;
  const lost =
    upTo === undefined || upTo <= after
      ? "How many records are lost cannot be told"
      : `Lost: the records after zxid ${formatZxid(after)} up to ${formatZxid(upTo)}`;
  const why = `${whyNoCrash(nextWriteHeader, walk.isLast, isUnbegun)}, so no crash did this`;
  note(chain, walk, scanned, "recordDamaged", `${found}; ${why}. ${lost}`);
  chain.lastZxid = lose(chain, upTo);
  return nextWriteHeader;
}

function whyNoCrash(nextMark: number | undefined, isLast: boolean, isUnbegun: boolean): string {
  if (nextMark !== undefined) return `a later write is there, at offset ${nextMark}`;
  if (isLast && isUnbegun) return "a segment gets its name when its first records are durable";
  return isLast ? "it has the checksum it was written with" : "a later segment is there";
}

function noteTorn(chain: Chain, { file }: Walk, scanned: SegmentEnd, found: string): void {
  const { end, dirtyBytes, begun } = scanned;
  const why = begun
    ? `a write of ${dirtyBytes} bytes was cut short, as a crash does`
    : `${dirtyBytes} bytes are no part of the log: what the file held before it was used again, or a write that a crash cut short`;
  const what = `${found}: ${why}; the next start cuts it off. Damage to the very last write looks the same`;
  chain.notices.push({ kind: "tornWrite", file, offset: end, zxid: chain.lastZxid, what });
}

/** The records up to `upTo` are gone; what comes next follows it. */
function lose(chain: Chain, upTo: Zxid | undefined): Zxid {
  const after = chain.lastZxid;
  if (upTo === undefined) return after;
  if (upTo > after) chain.gaps.push({ after, upTo });
  return upTo;
}

/** The procedure's result, or undefined where the disk fails: the walk of that file says so. */
export function* unlessUnreadable<Result>(
  procedure: Procedure<Result>,
): Procedure<Result | undefined> {
  try {
    return yield* procedure;
  } catch (error) {
    whyNot(error);
    return undefined;
  }
}

/** Of the log actor's message about a failed read the part that is true for an onlooker. */
export function whyNot(error: unknown): string {
  if (!(error instanceof LogStop)) throw error;
  return error.message.split(":")[0] ?? error.message;
}

/** An intact write header or record follows another record than the last one. */
function noteGap(chain: Chain, walk: Walk, scanned: SegmentEnd, follows: Zxid): void {
  const [last, there] = [formatZxid(chain.lastZxid), formatZxid(follows)];
  if (follows > chain.lastZxid) {
    const what = `what stands here follows zxid ${there}, the log before it ends at ${last}: the records between are missing`;
    note(chain, walk, scanned, "recordsMissing", what);
  } else {
    const what = `what stands here follows zxid ${there}, the log is at ${last} already: it belongs elsewhere`;
    note(chain, walk, scanned, "recordOutOfPlace", what);
  }
  chain.lastZxid = lose(chain, follows);
}

function note(
  chain: Chain,
  { file }: Walk,
  { end }: SegmentEnd,
  kind: Finding["kind"],
  what: string,
): void {
  chain.problems.push({ kind, file, offset: end, zxid: chain.lastZxid, what });
}

/** What is wrong with the segment as a whole, though each record is intact. */
function judgeWhole(chain: Chain, walk: Walk, count: SegmentCount, scanned: SegmentEnd): void {
  const { file, isLast } = walk;
  const { firstZxid } = count;
  if (firstZxid !== undefined) {
    if (segmentName(firstZxid) === file || !count.fromStart) return;
    const what = `its first record is ${formatZxid(firstZxid)}, which is not what its name says`;
    chain.problems.push({ kind: "segmentMisnamed", file, offset: 0, zxid: firstZxid, what });
    return;
  }
  if (scanned.dirtyBytes > 0) return;
  const zxid = chain.lastZxid;
  const why = isLast
    ? "a segment gets its name when its first ones are durable in it, so no crash did this"
    : "there is a later segment";
  const what = `it holds no record, and ${why}`;
  chain.problems.push({ kind: "segmentEmpty", file, offset: 0, zxid, what });
}

const FAULTS: Readonly<Record<string, string>> = {
  empty: "zeros where a record should begin",
  incomplete: "the file ends within a record",
  badLength: "no record has this length",
  badChecksum: "the checksum is wrong",
  badVersion:
    "a record of a version, of its form or of the state machine, that this zooid does not know",
};

/** The scan's word for a fault, for people. */
export function said(fault: string): string {
  return FAULTS[fault] ?? fault;
}

class SegmentCount {
  firstZxid: Zxid | undefined;
  /** The first record stands where the first record of a segment does. */
  fromStart = false;
  #records = 0;
  #batches = 0;
  #operations = 0;
  #lastZxid: Zxid | undefined;
  #firstTimeMs: number | undefined;
  #lastTimeMs: number | undefined;

  take({ firstZxid, lastZxid, offset }: ScannedRecord, bytes: Uint8Array): void {
    const { kind, timeMs } = recordHeader(bytes);
    if (this.firstZxid === undefined) {
      this.firstZxid = firstZxid;
      this.#firstTimeMs = timeMs;
      this.fromStart = offset === WRITE_HEADER_BYTES;
    }
    this.#records += 1;
    if (kind === "batch") {
      this.#batches += 1;
      this.#operations += lastZxid - firstZxid + 1;
    }
    this.#lastZxid = lastZxid;
    this.#lastTimeMs = timeMs;
  }

  facts({ file, size }: SegmentFile, { end, dirtyBytes }: SegmentEnd): SegmentFacts {
    return {
      file,
      size,
      end,
      freeBytes: size - end - dirtyBytes,
      records: this.#records,
      batches: this.#batches,
      operations: this.#operations,
      firstZxid: this.firstZxid,
      lastZxid: this.#lastZxid,
      firstTimeMs: this.#firstTimeMs,
      lastTimeMs: this.#lastTimeMs,
    };
  }
}
