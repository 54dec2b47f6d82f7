/** Which function applies an operation on a znode, for every kind of them. */
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import type { Session } from "../store/sessions.ts";
import {
  checkNotExists,
  checkStat,
  createIfNotExists,
  removeRecursive,
  tryRemove,
} from "./keeper-operations.ts";
import type { Transaction } from "./transaction.ts";
import { check, create, type Outcome, remove, setData } from "./znode-operations.ts";

export function applyZnodeOperation(
  transaction: Transaction,
  session: Session,
  operation: ZnodeOperation,
): Outcome {
  switch (operation.kind) {
    case "setData":
      return setData(transaction, operation);
    case "create":
      return operation.unlessExists === true
        ? createIfNotExists(transaction, session, operation)
        : create(transaction, session, operation);
    case "delete":
      return remove(transaction, operation);
    case "check":
      return check(transaction, operation);
    case "refusal":
      return operation.code;
    case "checkNotExists":
      return checkNotExists(transaction, operation);
    case "checkStat":
      return checkStat(transaction, operation);
    case "tryRemove":
      return tryRemove(transaction, operation);
    case "removeRecursive":
      return removeRecursive(transaction, operation);
  }
}
