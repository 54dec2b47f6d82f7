/**
 * Which access control lists a znode may be given. Source: PrepRequestProcessor.fixupACL with the providers that
 * ZooKeeper registers by default. Permission bits are not checked there, nor here. `auth` entries must have been expanded
 * by the gateway, which alone knows its connection's identities.
 */
import { OPEN_ACL, PERMISSIONS_ALL, type Acl } from "../../protocol/acl.ts";

/** The list as it is stored, without repetitions, or undefined if it is not valid. */
export function acceptedAcl(acl: readonly Acl[]): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined;
  // Nearly all lists are the open one: share it.
  if (acl.length === 1 && isOpen(acl[0])) return OPEN_ACL;
  const accepted: Acl[] = [];
  for (const entry of acl) {
    if (!isValid(entry)) return undefined;
    if (!accepted.some((each) => sameEntry(each, entry))) accepted.push(ownCopy(entry));
  }
  return accepted;
}

function isOpen(entry: Acl | undefined): boolean {
  return (
    entry !== undefined &&
    entry.permissions === PERMISSIONS_ALL &&
    entry.scheme === "world" &&
    entry.id === "anyone"
  );
}

function isValid(entry: Acl): boolean {
  switch (entry.scheme) {
    case "world":
      return entry.id === "anyone";
    case "ip":
      return isAddress(entry.id);
    case "digest":
      return isDigest(entry.id);
    default:
      return false;
  }
}

/** `user:hash`. As Java splits: empty parts at the end do not count. */
function isDigest(id: string): boolean {
  const parts = id.replace(/:+$/, "").split(":");
  return parts.length === 2;
}

/** An IPv4 address, with or without the number of leading bits that must be equal. */
function isAddress(id: string): boolean {
  const slash = id.indexOf("/");
  const address = slash === -1 ? id : id.slice(0, slash);
  if (slash !== -1 && !isWithin(id.slice(slash + 1), 32)) return false;
  const parts = address.split(".");
  return parts.length === 4 && parts.every((part) => isWithin(part, 255));
}

function isWithin(text: string, max: number): boolean {
  return /^[+-]?[0-9]{1,10}$/.test(text) && Number(text) >= 0 && Number(text) <= max;
}

function sameEntry(one: Acl, other: Acl): boolean {
  return (
    one.permissions === other.permissions && one.scheme === other.scheme && one.id === other.id
  );
}

function ownCopy(entry: Acl): Acl {
  // A decoded string may be a slice that keeps its whole batch alive: join and cut makes a small one.
  const own = (text: string): string => ` ${text}`.slice(1);
  return { permissions: entry.permissions, scheme: own(entry.scheme), id: own(entry.id) };
}
