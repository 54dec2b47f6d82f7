/**
 * `skipped.json` in the data folder: operations that this node could not apply, and those of them that an operator wants to be
 * skipped. Only an operation that has failed here can be skipped, so that a mistyped zxid does no harm. The file stays: a later start
 * that reads the log again skips the same operations.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isSegmentName, segmentName } from "../actors/log/format/files.ts";
import { formatZxid, type Zxid } from "../protocol/zxid.ts";
import { replaceDurably } from "../runtime/disks/durable-file.ts";

const FILE = "skipped.json";
const ZXID = /^0x[0-9a-f]{1,14}$/i;

export type FailedOperations = {
  /** Operations that could not be applied. */
  readonly failed: readonly Zxid[];
  /** Those of `failed` that are to be skipped. */
  readonly skipped: readonly Zxid[];
};

const NONE: FailedOperations = { failed: [], skipped: [] };

/** The zxid that the text stands for; undefined when it is none. */
export function zxidOfText(text: string): Zxid | undefined {
  const zxid = ZXID.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(zxid) && zxid > 0 ? (zxid as Zxid) : undefined;
}

/** Throws when the file exists and cannot be read; the message says what to do. */
export function readFailed(folder: string): FailedOperations {
  const path = join(folder, FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NONE;
    throw new Error(`${path} cannot be read: ${String(error)}`, { cause: error });
  }
  const stored = parsed(text);
  if (stored !== undefined) return stored;
  throw new Error(
    `${path} is damaged. It tells which operations this node skips; bring it back from a backup, or copy it from another node of the ensemble`,
  );
}

/** The note is durable when it returns. */
export function noteFailed(folder: string, zxid: Zxid): void {
  const { failed, skipped } = readFailed(folder);
  if (!failed.includes(zxid)) write(folder, { failed: [...failed, zxid], skipped });
}

/** The note is durable when it returns. Throws when one of them has not failed here; the message says what to do. */
export function noteSkipped(folder: string, zxids: readonly Zxid[]): FailedOperations {
  const { failed, skipped } = readFailed(folder);
  const other = zxids.find((zxid) => !failed.includes(zxid));
  if (other !== undefined) {
    const known =
      failed.length === 0 ? "none has failed" : `failed: ${failed.map(formatZxid).join(", ")}`;
    throw new Error(
      `the operation with zxid ${formatZxid(other)} has not failed on this node, so it is not skipped (${known}). Leave --skip-zxid out`,
    );
  }
  const noted = { failed, skipped: [...new Set([...skipped, ...zxids])] };
  if (noted.skipped.length > skipped.length) write(folder, noted);
  return noted;
}

/** The segment of the log that holds the record; undefined if there is none by its name. */
export function segmentWith(folder: string, firstZxid: Zxid): string | undefined {
  const last = segmentName(firstZxid);
  const before = readdirSync(folder).filter((name) => isSegmentName(name) && name <= last);
  const name = before.sort().at(-1);
  return name === undefined ? undefined : join(folder, name);
}

function parsed(text: string): FailedOperations | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const failed = zxidsOf("failed" in value ? value.failed : undefined);
  const skipped = zxidsOf("skipped" in value ? value.skipped : undefined);
  return failed === undefined || skipped === undefined ? undefined : { failed, skipped };
}

function zxidsOf(value: unknown): readonly Zxid[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const zxids = value.map((each) => (typeof each === "string" ? zxidOfText(each) : undefined));
  return zxids.every((zxid) => zxid !== undefined) ? zxids : undefined;
}

function write(folder: string, { failed, skipped }: FailedOperations): void {
  const stored = { failed: failed.map(formatZxid), skipped: skipped.map(formatZxid) };
  replaceDurably(join(folder, FILE), `${JSON.stringify(stored)}\n`);
}
