/** A multi applies all of its operations at one zxid or none of them. Each operation sees the changes of those before it. */
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult, ZnodeOperation } from "../../../protocol/operations.ts";
import { errorResult, znodeResult } from "./results.ts";
import type { Session } from "../store/sessions.ts";
import { restoreQuotas, settleQuotas } from "../quotas/enforce.ts";
import { abandonMulti, beginMulti, finishMulti, type Transaction } from "./transaction.ts";
import { applyZnodeOperation } from "./apply-znode.ts";
import { isCode } from "./znode-operations.ts";

export function applyMulti(
  transaction: Transaction,
  session: Session,
  operations: readonly ZnodeOperation[],
  wanted: boolean,
): OperationResult | undefined {
  const results: OperationResult[] = [];
  beginMulti(transaction);
  for (const [index, operation] of operations.entries()) {
    const outcome = applyZnodeOperation(transaction, session, operation);
    if (isCode(outcome) && outcome !== Code.ok) {
      abandonMulti(transaction);
      restoreQuotas(transaction);
      return wanted ? failure(operations.length, index, outcome) : undefined;
    }
    if (wanted) results.push(znodeResult(transaction.tree.znodes, operation.kind, outcome));
  }
  settleQuotas(transaction);
  finishMulti(transaction);
  return wanted ? { kind: "multi", failed: false, results } : undefined;
}

function failure(count: number, failedAt: number, code: Code): OperationResult {
  const results = Array.from({ length: count }, (_, index) => {
    if (index < failedAt) return errorResult(Code.ok);
    return errorResult(index === failedAt ? code : Code.runtimeInconsistency);
  });
  return { kind: "multi", failed: true, results };
}
