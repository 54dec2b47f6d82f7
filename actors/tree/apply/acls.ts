/**
 * Which access control lists the tree stores. The gateways have made of what a client gave what ZooKeeper's fixupACL makes of it
 * (`gateway/acls.ts`), and hand an empty list on where that is not valid. A log may hold other lists, of any size, so everything here takes time
 * linear in the list's bytes.
 */
import { isValidEntry } from "../../../protocol/access.ts";
import { type Acl, isOpenEntry, OPEN_ACL } from "../../../protocol/acl.ts";

/** The list as it is stored, or undefined if it is not valid. */
export function acceptedAcl(acl: readonly Acl[]): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined;
  // Nearly all lists are the open one, so its znodes share one object.
  if (acl.every(isOpenEntry)) return OPEN_ACL;
  return acl.every((entry) => isValidEntry(entry)) ? acl.map(ownCopy) : undefined;
}

function ownCopy(entry: Acl): Acl {
  // A decoded string may be a slice that keeps the memory of its whole batch alive. To prepend and cut off a space makes a string of
  // its own.
  const own = (text: string): string => ` ${text}`.slice(1);
  return { permissions: entry.permissions, scheme: own(entry.scheme), id: own(entry.id) };
}
