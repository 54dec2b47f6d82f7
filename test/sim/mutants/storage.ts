/** Mistakes in the log: what survives a crash, and what is believed of a disk. */
import type { Mutant } from "./mutant.ts";

const APPEND = "actors/log/segments/append.ts";
const PROCEDURE = "actors/log/format/procedure.ts";
const RECOVER = "actors/log/recovery/recover.ts";

export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "remnants-taken-for-records",
    mistake: "what a segment held before it was used again is looked at as if it were its own",
    edits: [
      {
        file: "actors/log/format/write-header.ts",
        find: " && header.prevZxid >= notBefore",
        replace: "",
      },
    ],
  },
  {
    name: "sealed-before-durable",
    mistake: "the seal is written together with the write that it says is durable",
    edits: [
      {
        file: APPEND,
        find: "  return [header, ...records.map((record) => record.bytes)];",
        replace: `  const bytes = records.map((record) => record.bytes);
  const end = bytes.reduce((sum, { length }) => sum + length, segment.end + WRITE_HEADER_BYTES);
  const lastZxid = records.at(-1)?.lastZxid ?? state.index.lastZxid;
  return [header, ...bytes, encodeWriteHeader(end, lastZxid, state.settings.crc32)];`,
      },
    ],
  },
  {
    name: "segment-reused-too-early",
    mistake: "a segment is written to again before the folder says that it is out of the log",
    edits: [
      {
        file: "actors/log/segments/spares.ts",
        find: `  yield* perform([{ kind: "rename", file: name, to: file }, { kind: "syncFolder" }]);`,
        replace: `  yield* perform([{ kind: "rename", file: name, to: file }]);`,
      },
    ],
  },
  {
    name: "append-not-synced",
    mistake: "appended records are reported durable without an fsync",
    edits: [
      {
        file: APPEND,
        find: `buffers: buffersOf(state, segment, records) },
    { kind: "sync", file },`,
        replace: "buffers: buffersOf(state, segment, records) },",
      },
    ],
  },
  {
    name: "segment-name-not-synced",
    mistake: "the folder is not fsynced when a segment is started",
    edits: [
      {
        file: APPEND,
        find: `{ kind: "rename", file: spare.file, to: file },
    { kind: "syncFolder" },`,
        replace: `{ kind: "rename", file: spare.file, to: file },`,
      },
    ],
  },
  {
    name: "promise-not-persisted",
    mistake: "a promise is kept in memory only",
    edits: [
      {
        file: "actors/log/promise.ts",
        find: "if (!(yield* performWithReserve(state, replaceFile(PROMISE_FILE, bytes)))) {",
        replace: 'if (!(yield* performWithReserve(state, [{ kind: "list" }]))) {',
      },
    ],
  },
  {
    name: "promise-file-not-synced",
    mistake: "the promise file is renamed into place without an fsync of its bytes",
    edits: [{ file: PROCEDURE, find: '{ kind: "sync", file: temporary },', replace: "" }],
  },
  {
    name: "folder-not-synced",
    mistake: "the folder is not fsynced after a file was renamed into place",
    edits: [
      {
        file: PROCEDURE,
        find: `{ kind: "rename", file: temporary, to: file },
    { kind: "syncFolder" },`,
        replace: '{ kind: "rename", file: temporary, to: file },',
      },
    ],
  },
  {
    name: "incarnation-not-increased",
    mistake: "a node starts again under its last incarnation",
    edits: [
      {
        file: RECOVER,
        find: "encodeIncarnation(incarnation, crc32)",
        replace: "encodeIncarnation(Math.max(1, incarnation - 1), crc32)",
      },
    ],
  },
  {
    name: "torn-record-accepted",
    mistake: "the checksum of a record is not looked at",
    edits: [
      {
        file: "protocol/record.ts",
        find: "if (view.getUint32(4) !== crc32(bytes.subarray(offset + 8, offset + length))) {",
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "damage-taken-for-a-torn-write",
    mistake: "whatever is wrong in the last segment is cut off, although later writes are there",
    edits: [
      {
        file: "actors/log/recovery/find-log.ts",
        find: "if (scanned.wasDurable || (scanned.begun && !isLast)) {",
        replace: "if (!isLast && (scanned.wasDurable || scanned.begun)) {",
      },
    ],
  },
  {
    name: "index-not-cut",
    mistake: "a truncation cuts the file and not the log's index",
    edits: [
      { file: "actors/log/segments/truncate.ts", find: "index.truncate(kept);", replace: "" },
    ],
  },
  {
    name: "file-not-cut",
    mistake: "a truncation cuts the index and leaves the records in the file",
    edits: [
      {
        file: "actors/log/segments/truncate.ts",
        find: '{ kind: "truncate", file, length: end },',
        replace: "",
      },
    ],
  },
  {
    name: "truncation-not-synced",
    mistake: "a truncation is reported before it is durable",
    edits: [
      {
        file: "actors/log/segments/truncate.ts",
        find: `{ kind: "truncate", file, length: end },
        { kind: "sync", file },`,
        replace: '{ kind: "truncate", file, length: end },',
      },
    ],
  },
  {
    name: "segment-begun-behind-half-a-seal",
    mistake: "a new segment begins although the seal of the one before may be half on the disk",
    edits: [
      {
        file: APPEND,
        find: 'if (before?.sealed === true) operations.push({ kind: "sync", file: before.name });',
        replace: "",
      },
    ],
  },
  {
    name: "truncated-first-to-last",
    mistake: "a truncation removes segments from the first to the last",
    edits: [
      {
        file: "actors/log/segments/truncate.ts",
        find: "segments.filter((segment) => segment.firstRecord >= kept).reverse();",
        replace: "segments.filter((segment) => segment.firstRecord >= kept);",
      },
    ],
  },
  {
    name: "recovered-tail-not-synced",
    mistake: "what an earlier incarnation wrote and did not sync is believed to be durable",
    edits: [
      {
        file: RECOVER,
        find: "if (last !== undefined) yield* perform([",
        replace: "if (false) yield* perform([",
      },
    ],
  },
  {
    name: "lost-end-believed",
    mistake: "a log that ends before what was durable is taken for one that ended there",
    edits: [
      {
        file: "actors/log/recovery/find-end.ts",
        find: `stored.kind === "none" || stored.zxid <= index.lastZxid`,
        replace: "true",
      },
    ],
  },
  {
    name: "empty-segment-believed",
    mistake: "a last segment without a record is taken for one that was never written to",
    edits: [
      {
        file: "actors/log/recovery/find-log.ts",
        find: `  if (first === undefined) {
    return missing(`,
        replace: `  if (first === undefined && isLast) return undefined;
  if (first === undefined) {
    return missing(`,
      },
      {
        file: "actors/log/recovery/find-log.ts",
        find: "    addSegment(state, { name, firstRecord, end: scanned.end, size });\n  }\n}",
        replace:
          "    if (scanned.end > 0) addSegment(state, { name, firstRecord, end: scanned.end, size });\n  }\n}",
      },
      {
        file: "actors/log/recovery/find-end.ts",
        find: `stored.kind === "none" || stored.zxid <= index.lastZxid`,
        replace: `stored.kind === "none" || index.count === 0 || stored.zxid <= index.lastZxid`,
      },
    ],
  },
  {
    name: "end-not-lowered",
    mistake: "the log is cut, and the file beside it goes on telling that more was durable",
    edits: [
      {
        file: "actors/log/segments/log-end.ts",
        find: "  if (state.logEnd <= zxid) return true;",
        replace: "  if (state.logEnd >= ZXID_NONE) return true;",
      },
    ],
  },
];
