/**
 * An operation that is committed and that a replica cannot apply, which is a bug. The replica may be half changed, so its node stops;
 * as the operation is in the log, every start stops there again, on every node. The way past it is an operator's: each node is
 * told to skip exactly this zxid (docs/decisions/0012-skipped-operations.md). What is skipped is part of the replicated state.
 */
import { logEvent } from "../../log-event.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { RecordHeader } from "../../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { TreeTurn } from "../state.ts";

/** The event by which the server learns of it. */
export const APPLY_FAILED = "applyFailed";

export class ApplyFailure extends Error {
  override readonly name = "ApplyFailure";
  readonly zxid: Zxid;
  readonly record: RecordHeader;
  /** Undefined: the record as a whole cannot be read. */
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

/** Names it, and stops the node. */
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

/** Of an operation that may be none, whatever its type says. */
function operationText(operation: Operation): string {
  if (operation.kind !== "client") return operation.kind;
  const { operation: asked } = operation;
  if (!("path" in asked)) return asked.kind;
  const path = String(asked.path);
  const shown = path.length > PATH_SHOWN_MAX ? `${path.slice(0, PATH_SHOWN_MAX)}…` : path;
  return `${asked.kind} of ${JSON.stringify(shown)}`;
}
