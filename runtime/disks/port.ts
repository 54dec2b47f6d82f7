/** Performs disk effects at once, in the calling thread: the log lane has nothing better to do than to wait for its disk. */
import type { Disk, DiskOperation, DiskOutcome, DiskResult } from "../disk.ts";
import type { DiskPort } from "../system.ts";

export function immediateDisk(disk: Disk): DiskPort {
  return {
    perform: (tag, operations, done) => done(performAll(disk, tag, operations)),
  };
}

function performAll(disk: Disk, tag: number, operations: readonly DiskOperation[]): DiskOutcome {
  const results: DiskResult[] = [];
  for (const operation of operations) {
    try {
      results.push(disk.perform(operation));
    } catch (error) {
      return diskFailure(tag, results.length, operation, error);
    }
  }
  return { kind: "diskDone", tag, results };
}

export function diskFailure(
  tag: number,
  failedAt: number,
  operation: DiskOperation,
  error: unknown,
): DiskOutcome {
  return {
    kind: "diskFailed",
    tag,
    failedAt,
    operation: operation.kind,
    file: "file" in operation ? operation.file : undefined,
    code: codeOf(error),
  };
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return String(error);
}
