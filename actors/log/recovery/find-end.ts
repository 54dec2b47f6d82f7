/** Whether the log reaches as far as it was durable according to the file `log-end`. */
import type { Crc32 } from "../../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import {
  ALL_FILES_VERSION,
  INCARNATION_FILE,
  incarnationVersion,
  LOG_END_FILE,
} from "../format/files.ts";
import { decodeOr, type Folder, readWhole } from "../format/folder.ts";
import { decodeLogEnd } from "../segments/log-end.ts";
import type { Procedure } from "../format/procedure.ts";
import type { LogState } from "../state.ts";

/** What the folder says about how far its log was durable. `unknown`: the file is damaged or lost. */
export type StoredEnd =
  | { readonly kind: "stored"; readonly zxid: Zxid }
  | { readonly kind: "unknown"; readonly what: string }
  /** There is no file yet: an older version wrote the folder, or its first start did not finish. */
  | { readonly kind: "none" };

/**
 * Whether the folder must have all of its small files, so that one that is missing was lost. That is so if it was started by a version that
 * makes all of them at the first start, the incarnation last.
 */
export function* hasAllFiles(folder: Folder, crc32: Crc32): Procedure<boolean> {
  if (!folder.has(INCARNATION_FILE)) return false;
  const bytes = yield* readWhole(folder, INCARNATION_FILE);
  return decodeOr(() => incarnationVersion(bytes, crc32), ALL_FILES_VERSION) >= ALL_FILES_VERSION;
}

export function* readLogEnd(folder: Folder, crc32: Crc32): Procedure<StoredEnd> {
  if (folder.has(LOG_END_FILE)) {
    const bytes = yield* readWhole(folder, LOG_END_FILE);
    const zxid = decodeOr(() => decodeLogEnd(bytes, crc32), undefined);
    return zxid === undefined ? { kind: "unknown", what: "is damaged" } : { kind: "stored", zxid };
  }
  const isLost = yield* hasAllFiles(folder, crc32);
  return isLost ? { kind: "unknown", what: "is missing" } : { kind: "none" };
}

/** A text that says why the log must have lost its end. Undefined: nothing shows that. */
export function faultOfEnd({ index }: LogState, stored: StoredEnd): string | undefined {
  const end = formatZxid(index.lastZxid);
  if (stored.kind === "unknown") {
    return `${LOG_END_FILE} in the data folder ${stored.what}, which no crash does: it tells how far the log was durable, and what is left of that ends at zxid ${end}.`;
  }
  if (stored.kind === "none" || stored.zxid <= index.lastZxid) return undefined;
  return `the log in the data folder ends at zxid ${end}, and ${LOG_END_FILE} tells that all up to zxid ${formatZxid(stored.zxid)} was durable: the records between are missing, which no crash does.`;
}
