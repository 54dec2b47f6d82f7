/** A request takes memory until it is answered. */
import { ACL_ENTRY_BYTES, REQUEST_OVERHEAD_BYTES } from "../../protocol/limits.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Read } from "../../protocol/reads.ts";

type Sized = {
  readonly kind: string;
  readonly operation?: ClientOperation;
  readonly read?: Read;
};

/**
 * `frameBytes` is the length of the frame. The members of a multi and the entries of lists are many small objects, which take far more
 * memory than that.
 */
export function requestBytes({ operation, read }: Sized, frameBytes: number): number {
  const writes = operation?.kind === "multi" ? operation.operations.length : 0;
  const reads = read?.kind === "multiRead" ? read.reads.length : 0;
  const members = REQUEST_OVERHEAD_BYTES * (1 + writes + reads);
  return frameBytes + members + ACL_ENTRY_BYTES * entriesOf(operation);
}

/** Entries of access control lists, beside one for each list. */
function entriesOf(operation: ClientOperation | undefined): number {
  switch (operation?.kind) {
    case "create":
    case "setAcl":
      return Math.max(0, operation.acl.length - 1);
    case "multi":
      return operation.operations.reduce((entries, each) => entries + entriesOf(each), 0);
    default:
      return 0;
  }
}
