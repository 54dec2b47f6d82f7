/** The results of operations, which go to the submitter. */
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult } from "../../../protocol/operations.ts";
import { statOf } from "../store/znodes.ts";
import type { Outcome } from "./znode-operations.ts";

export const DONE: OperationResult = { kind: "done" };

const errors = new Map<Code, OperationResult>();
for (const code of Object.values(Code)) errors.set(code, { kind: "error", code });

export function errorResult(code: Code): OperationResult {
  return errors.get(code) ?? { kind: "error", code };
}

/** The result of an operation on a znode, with the stat that the znode has now. */
export function znodeResult(
  operation: "create" | "delete" | "setData" | "setAcl" | "check",
  outcome: Outcome,
): OperationResult {
  if (typeof outcome === "number") return outcome === Code.ok ? DONE : errorResult(outcome);
  const stat = statOf(outcome);
  return operation === "create"
    ? { kind: "created", path: outcome.path, stat }
    : { kind: "stat", stat };
}
