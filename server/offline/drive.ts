/** Runs a procedure of the log actor against a folder, one step after the other. */
import type { Procedure } from "../../actors/log/format/procedure.ts";
import type { DiskOperation, DiskOutcome, DiskResult } from "../../runtime/disk.ts";
import { FolderChanged } from "./read-only-folder.ts";

export type Readable = { perform(operation: DiskOperation): DiskResult };

/** Calls and awaits `between` after every step. When it returns false the procedure ends early, and the result is undefined. */
export async function drive<Result>(
  procedure: Procedure<Result>,
  folder: Readable,
  between: () => Promise<boolean>,
): Promise<Result | undefined> {
  let step = procedure.next();
  while (step.done !== true) {
    const outcome = perform(step.value, folder);
    if (!(await between())) return undefined;
    step = procedure.next(outcome);
  }
  return step.value;
}

function perform(operations: readonly DiskOperation[], folder: Readable): DiskOutcome {
  const results: DiskResult[] = [];
  for (const operation of operations) {
    try {
      results.push(folder.perform(operation));
    } catch (error) {
      if (error instanceof FolderChanged) throw error;
      if (!(error instanceof Error && "code" in error)) throw error;
      const file = "file" in operation ? operation.file : undefined;
      const failedAt = results.length;
      const { kind } = operation;
      const code = String(error.code);
      return { kind: "diskFailed", tag: 0, failedAt, operation: kind, file, code };
    }
  }
  return { kind: "diskDone", tag: 0, results };
}
