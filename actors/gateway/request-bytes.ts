/** A request takes memory until it is answered. */
import { REQUEST_OVERHEAD_BYTES } from "../../protocol/limits.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Read } from "../../protocol/reads.ts";

type Sized = {
  readonly kind: string;
  readonly operation?: ClientOperation;
  readonly read?: Read;
};

/** `frameBytes` is the length of the frame. The members of a multi are many small objects, which take far more memory than that. */
export function requestBytes({ operation, read }: Sized, frameBytes: number): number {
  const writes = operation?.kind === "multi" ? operation.operations.length : 0;
  const reads = read?.kind === "multiRead" ? read.reads.length : 0;
  return frameBytes + REQUEST_OVERHEAD_BYTES * (1 + writes + reads);
}
