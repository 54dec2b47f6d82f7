/** The events of a change stream, for subscribers over NATS and in the node's own process. */
import type { Change } from "./reads.ts";
import type { Zxid } from "./zxid.ts";

/** Which znodes a change stream follows beside the one at its path: none, its children, or all below it. */
export type Recursive = boolean | "children";

/**
 * What a change stream in the node's own process delivers: a change of a znode, or, by its `kind`, what has become of the stream itself.
 */
export type ChangeEvent =
  | Change
  /** Every change up to `zxid` has been delivered, so a later stream may begin from it. */
  | { readonly kind: "progress"; readonly zxid: Zxid }
  /**
   * The node no longer keeps the changes that would come next, only those after `oldest`. The stream completes. Read the znodes
   * again, then open a stream from the zxid of that read.
   */
  | { readonly kind: "compacted"; readonly oldest: Zxid };

/** The bytes that a change takes in memory beside its path and data. */
const CHANGE_BYTES = 120;

export function changeBytes(change: Change): number {
  return CHANGE_BYTES + change.path.length + (change.data?.length ?? 0);
}
