/**
 * Disk work in several steps, written as one function. A procedure yields operations and is resumed with their outcome. It touches no
 * disk itself, so it is as pure as the actor that runs it. One procedure runs at a time.
 */
import type { DiskOperation, DiskOutcome, DiskResult } from "../../../runtime/disk.ts";

export type Procedure<Result = void> = Generator<readonly DiskOperation[], Result, DiskOutcome>;

/** The node must not go on with this disk. The message tells the operator what was found and what to do. */
export class LogStop extends Error {
  override readonly name = "LogStop";
}

type DiskFailure = Extract<DiskOutcome, { kind: "diskFailed" }>;

/** Performs the operations. A failure stops the node. */
export function* perform(operations: readonly DiskOperation[]): Procedure<readonly DiskResult[]> {
  const outcome = yield operations;
  if (outcome.kind === "diskFailed") throw new LogStop(describeFailure(outcome));
  return outcome.results;
}

/** Performs the operations. Returns false if the disk had no space for them. Any other failure stops the node. */
export function* performIfSpace(operations: readonly DiskOperation[]): Procedure<boolean> {
  const outcome = yield operations;
  if (outcome.kind === "diskDone") return true;
  if (isOutOfSpace(outcome)) return false;
  throw new LogStop(describeFailure(outcome));
}

/** Removes a file durably. It is no error if the file is missing. */
export function* removeIfThere(file: string): Procedure {
  const outcome = yield [{ kind: "remove", file }];
  if (outcome.kind === "diskDone") yield* perform([{ kind: "syncFolder" }]);
  else if (outcome.code !== "ENOENT") throw new LogStop(describeFailure(outcome));
}

export function* readBytes(file: string, position: number, length: number): Procedure<Uint8Array> {
  const [result] = yield* perform([{ kind: "read", file, position, length }]);
  if (result?.kind !== "bytes") throw new LogStop(`reading ${file} gave no bytes`);
  return result.bytes;
}

/** The operations that replace a file such that after a crash it is either the old file or the new one. */
export function replaceFile(file: string, bytes: Uint8Array): readonly DiskOperation[] {
  const temporary = `${file}${TEMPORARY_SUFFIX}`;
  return [
    { kind: "write", file: temporary, position: 0, buffers: [bytes] },
    { kind: "sync", file: temporary },
    { kind: "rename", file: temporary, to: file },
    { kind: "syncFolder" },
  ];
}

export const TEMPORARY_SUFFIX = ".new";

/**
 * Whether an operation failed because the disk is full, and may be tried again. After a failed sync nobody knows what the disk holds,
 * whatever the code says: the system may have dropped the pages and forgotten the error. So a sync is never tried again.
 */
function isOutOfSpace(failure: DiskFailure): boolean {
  if (failure.operation === "sync" || failure.operation === "syncFolder") return false;
  return failure.code === "ENOSPC" || failure.code === "EDQUOT";
}

function describeFailure(failure: DiskFailure): string {
  const where =
    failure.file === undefined ? "the data folder" : `${failure.file} in the data folder`;
  const what = `${failure.operation} of ${where} failed with ${failure.code}`;
  if (failure.operation === "sync" || failure.operation === "syncFolder") {
    return `${what}: what was written last may be lost although the system accepted it, so this node stops. Check the disk, then start the node again; it reads its log anew and its peers send what is missing.`;
  }
  if (failure.code === "ENOSPC" || failure.code === "EDQUOT") {
    return `${what}: the disk is full. Make room, then start the node again.`;
  }
  return `${what}: this node stops rather than go on without a disk. Check the disk and the folder's permissions, then start the node again.`;
}
