/** What a request takes in memory until it is answered. */
import { REQUEST_OVERHEAD_BYTES } from "../../protocol/limits.ts";
import type { ClientOperation } from "../../protocol/operations.ts";

type Sized = { readonly kind: string; readonly operation?: ClientOperation };

/** `frameBytes`: as it came. Members of a multi are many small objects, which take far more than their bytes in the frame. */
export function requestBytes({ operation }: Sized, frameBytes: number): number {
  const members = operation?.kind === "multi" ? operation.operations.length : 0;
  return frameBytes + REQUEST_OVERHEAD_BYTES * (1 + members);
}
