/** A disk operation that failed, with the system's name for why. */
import type { DiskOperation } from "../disk.ts";

export class DiskError extends Error {
  override readonly name = "DiskError";
  /** Such as `ENOSPC`, `EIO`, `ENOENT`. */
  readonly code: string;

  constructor(code: string, operation: DiskOperation) {
    const file = "file" in operation ? ` ${operation.file}` : "";
    super(`${operation.kind}${file}: ${code}`);
    this.code = code;
  }
}
