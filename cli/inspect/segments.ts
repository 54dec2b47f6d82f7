/**
 * Walks through the log with the log actor's own scan. When the scan stops at damage, the walk notes it and continues at the next
 * intact write header, so that one damaged place does not hide another.
 */
import { segmentName } from "../../actors/log/format/files.ts";
import { WRITE_HEADER_BYTES } from "../../actors/log/format/write-header.ts";
import type { Procedure } from "../../actors/log/format/procedure.ts";
import {
  firstPrevZxid,
  prevZxidAt,
  type ScannedRecord,
  scanSegment,
  type SegmentEnd,
} from "../../actors/log/format/scan.ts";
import { type Crc32, recordHeader } from "../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { type SegmentFile, unlessUnreadable, whyNot } from "../../server/offline/log-files.ts";
import type { Finding, SegmentFacts } from "./findings.ts";

/** How many damaged places of one segment are reported one by one. Each costs a search through everything behind it. */
const FAULTS_MAX = 50;

/** Called for every intact record. `bytes` is a view that is valid during the call only. */
export type OnRecord = (file: string, record: ScannedRecord, bytes: Uint8Array) => void;

/** The state of the walk along the log, and what it has found. */
export type Chain = {
  readonly crc32: Crc32;
  readonly onRecord: OnRecord;
  /** The last zxid of the record before. */
  lastZxid: Zxid;
  /** The records after `after` up to `upTo` are damaged or missing. */
  readonly gaps: { readonly after: Zxid; readonly upTo: Zxid }[];
  readonly segments: SegmentFacts[];
  readonly problems: Finding[];
  readonly notices: Finding[];
};

export function beginChain(base: Zxid, crc32: Crc32, onRecord: OnRecord): Chain {
  return { crc32, onRecord, lastZxid: base, gaps: [], segments: [], problems: [], notices: [] };
}

/** Walks through the segments in the order of their names, beginning with the record after `chain.lastZxid`. */
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

/** The state of the walk through one segment. */
type Walk = SegmentFile & {
  readonly isLast: boolean;
  /** The zxid that the next segment follows, if its first write header can be read. */
  readonly nextPrev: Zxid | undefined;
  from: number;
  /** Where the last gap was found. If the record there does not follow either, it is damaged. */
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

/**
 * Notes what stopped the scan. Returns where to continue, with `chain.lastZxid` set to what the record there follows; undefined at
 * the end.
 */
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

function whyNoCrash(nextHeader: number | undefined, isLast: boolean, isUnbegun: boolean): string {
  if (nextHeader !== undefined) return `a later write is there, at offset ${nextHeader}`;
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

/** Notes that the records up to `upTo` are lost. Returns the zxid that the next record follows. */
function lose(chain: Chain, upTo: Zxid | undefined): Zxid {
  const after = chain.lastZxid;
  if (upTo === undefined) return after;
  if (upTo > after) chain.gaps.push({ after, upTo });
  return upTo;
}

/** Notes that an intact write header or record does not follow the record before it. */
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

/** Notes what is wrong with the segment as a whole although each of its records is intact. */
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

/** Returns the name of a fault of the scan as people read it. */
export function said(fault: string): string {
  return FAULTS[fault] ?? fault;
}

class SegmentCount {
  firstZxid: Zxid | undefined;
  /** Whether the first record is where the first record of a segment must be. */
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
