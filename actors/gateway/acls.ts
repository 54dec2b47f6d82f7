/**
 * What a client's access control lists are before they are logged. As ZooKeeper's fixupACL has it, `auth` stands for what the client has
 * proved; what is not valid is replaced by the empty list, which the tree answers with InvalidACL, in its turn and with a zxid. So are
 * lists of a multi that would make it larger by a packet, since `auth` may stand for much.
 */
import { givenAcl } from "../../protocol/access.ts";
import { type Acl, isOpenEntry } from "../../protocol/acl.ts";
import type { Who } from "../../protocol/identities.ts";
import { ACL_ENTRIES_MAX, IDENTITY_LENGTH_MAX, PACKET_BYTES_MAX } from "../../protocol/limits.ts";
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
      let added = 0;
      const served = operations.map((each) => {
        if (each.kind !== "create" || isOpen(each.acl)) return each;
        if (added > PACKET_BYTES_MAX) return { ...each, acl: NOT_VALID };
        const { acl } = withServedAcl(each, who, schemes);
        added += Math.max(0, lengthOf(acl) - lengthOf(each.acl));
        return { ...each, acl: added > PACKET_BYTES_MAX ? NOT_VALID : acl };
      });
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

/** What the texts of the list take in a batch, about. */
function lengthOf(acl: readonly Acl[]): number {
  let length = 0;
  for (const { scheme, id } of acl) length += 3 * (scheme.length + id.length) + ENTRY_BYTES;
  return length;
}

const ENTRY_BYTES = 12;

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
