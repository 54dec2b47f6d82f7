/** What a change stream gives to whoever subscribes to it, over NATS or in the node's own process. */
import type { Change } from "./reads.ts";
import type { Zxid } from "./zxid.ts";

export type ChangeEvent =
  | Change
  /** Everything up to `zxid` has been delivered: a later stream may start from it. */
  | { readonly kind: "progress"; readonly zxid: Zxid }
  /**
   * The changes that come next are no longer kept: the node holds those after `oldest`. The stream completes. Read the
   * nodes anew, then open a stream from the zxid of that read.
   */
  | { readonly kind: "compacted"; readonly oldest: Zxid };

/** What a change takes in memory beside its path and data, in bytes. */
const CHANGE_BYTES = 120;

export function changeBytes(change: Change): number {
  return CHANGE_BYTES + change.path.length + (change.data?.length ?? 0);
}
