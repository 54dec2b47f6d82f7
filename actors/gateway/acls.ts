/**
 * What a client's access control lists are before they are logged. As ZooKeeper's fixupACL has it, `auth` stands for what the client has
 * proved; what is not valid is replaced by the empty list, which the tree answers with InvalidACL, in its turn and with a zxid.
 */
import { givenAcl } from "../../protocol/access.ts";
import { type Acl, isOpenEntry } from "../../protocol/acl.ts";
import type { Who } from "../../protocol/identities.ts";
import { ACL_ENTRIES_MAX, IDENTITY_LENGTH_MAX } from "../../protocol/limits.ts";
import type { ClientOperation } from "../../protocol/operations.ts";

const NOT_VALID: readonly Acl[] = [];

/** Returns the write as it is handed on. `schemes` are those that are served. */
export function servedWrite(
  operation: ClientOperation,
  who: Who,
  schemes: ReadonlySet<string>,
): ClientOperation {
  switch (operation.kind) {
    case "create":
    case "setAcl":
      return withServedAcl(operation, who, schemes);
    case "multi": {
      const { operations } = operation;
      if (operations.every((each) => each.kind !== "create" || isOpen(each.acl))) return operation;
      const served = operations.map((each) =>
        each.kind === "create" ? withServedAcl(each, who, schemes) : each,
      );
      return { kind: "multi", operations: served };
    }
    default:
      return operation;
  }
}

function withServedAcl<Listed extends { readonly acl: readonly Acl[] }>(
  operation: Listed,
  who: Who,
  schemes: ReadonlySet<string>,
): Listed {
  const { acl } = operation;
  return isOpen(acl) ? operation : { ...operation, acl: servedAcl(acl, who, schemes) };
}

function isOpen(acl: readonly Acl[]): boolean {
  const [entry] = acl;
  return acl.length === 1 && entry !== undefined && isOpenEntry(entry);
}

function servedAcl(acl: readonly Acl[], who: Who, schemes: ReadonlySet<string>): readonly Acl[] {
  if (acl.length > ACL_ENTRIES_MAX || acl.some(({ id }) => id.length > IDENTITY_LENGTH_MAX)) {
    return NOT_VALID;
  }
  const given = givenAcl(acl, who, schemes);
  return given === undefined || given.length > ACL_ENTRIES_MAX ? NOT_VALID : given;
}
