/** The results of operations, which go to the submitter. */
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult, ZnodeOperation } from "../../../protocol/operations.ts";
import type { Znodes } from "../store/znodes.ts";
import { isCode, type Outcome } from "./znode-operations.ts";

export const DONE: OperationResult = { kind: "done" };

const errors = new Map<Code, OperationResult>();
for (const code of Object.values(Code)) errors.set(code, { kind: "error", code });

export function errorResult(code: Code): OperationResult {
  return errors.get(code) ?? { kind: "error", code };
}

/** The result of an operation on a znode, with the stat that the znode has now. */
export function znodeResult(
  znodes: Znodes,
  operation: ZnodeOperation["kind"] | "setAcl",
  outcome: Outcome,
): OperationResult {
  if (isCode(outcome)) return outcome === Code.ok ? DONE : errorResult(outcome);
  const stat = znodes.stat(outcome);
  return operation === "create"
    ? { kind: "created", path: znodes.path(outcome), stat }
    : { kind: "stat", stat };
}
