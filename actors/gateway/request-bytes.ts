/** A request takes memory until it is answered. */
import { REQUEST_OVERHEAD_BYTES } from "../../protocol/limits.ts";
import type { ClientOperation } from "../../protocol/operations.ts";

type Sized = { readonly kind: string; readonly operation?: ClientOperation };

/** `frameBytes` is the length of the frame. The members of a multi are many small objects, which take far more memory than that. */
export function requestBytes({ operation }: Sized, frameBytes: number): number {
  const members = operation?.kind === "multi" ? operation.operations.length : 0;
  return frameBytes + REQUEST_OVERHEAD_BYTES * (1 + members);
}
