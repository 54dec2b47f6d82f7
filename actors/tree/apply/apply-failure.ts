/**
 * What happens when a replica cannot apply a committed operation, which is a bug. The operation may have changed half of what it should
 * have, so the node stops. Since the operation is in the log, every later start stops there too, on every node. Only an operator can
 * resolve this, by telling each node to skip exactly this zxid (docs/decisions/0012-skipped-operations.md). The list of what was
 * skipped is part of the replicated state.
 */
import { logEvent } from "../../log-event.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { RecordHeader } from "../../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { TreeTurn } from "../state.ts";

/** The log event from which the server learns of the failure. */
export const APPLY_FAILED = "applyFailed";

export class ApplyFailure extends Error {
  override readonly name = "ApplyFailure";
  readonly zxid: Zxid;
  readonly record: RecordHeader;
  /** The operation that failed. Undefined: the record as a whole cannot be decoded. */
  readonly operation: Operation | undefined;

  constructor(
    zxid: Zxid,
    record: RecordHeader,
    operation: Operation | undefined,
    options: ErrorOptions,
  ) {
    super(String(options.cause), options);
    this.zxid = zxid;
    this.record = record;
    this.operation = operation;
  }
}

/** Writes to the log which operation failed, and stops the node. */
export function stopFor({ effects }: TreeTurn, failure: ApplyFailure): void {
  const { zxid, record, operation } = failure;
  const what = operation === undefined ? "the whole record" : operationText(operation);
  const detail = {
    zxid: formatZxid(zxid),
    record: formatZxid(record.firstZxid),
    lastZxid: formatZxid(record.lastZxid),
    operation: what,
    error: failure.message,
    stack: failure.cause instanceof Error ? failure.cause.stack : undefined,
  };
  const reason = `the operation with zxid ${detail.zxid} (${what}, in the record ${detail.record} to ${detail.lastZxid}) cannot be applied: ${failure.message}. It is in the log, so each start stops here: see "An operation that cannot be applied" in docs/operations/failures.md`;
  effects.push(logEvent(APPLY_FAILED, detail));
  effects.push({ kind: "stopNode", reason });
}

const PATH_SHOWN_MAX = 200;

/** A short text for the operation. It is defensive, since the decoded value may not be what its type says. */
function operationText(operation: Operation): string {
  if (operation.kind !== "client") return operation.kind;
  const { operation: asked } = operation;
  if (!("path" in asked)) return asked.kind;
  const path = String(asked.path);
  const shown = path.length > PATH_SHOWN_MAX ? `${path.slice(0, PATH_SHOWN_MAX)}…` : path;
  return `${asked.kind} of ${JSON.stringify(shown)}`;
}
