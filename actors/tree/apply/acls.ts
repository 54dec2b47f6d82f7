/**
 * Which access control lists a znode may be given. Source: PrepRequestProcessor.fixupACL with the providers that
 * ZooKeeper registers by default. Permission bits are not checked there, nor here. The gateways let nothing through but the
 * open list (../gateway/checks.ts); a log may hold others, of any size, so everything here is linear in the list's bytes.
 */
import { type Acl, isOpenEntry, OPEN_ACL } from "../../../protocol/acl.ts";

const COLON = 0x3a;

/** The list as it is stored, without repetitions, or undefined if it is not valid. */
export function acceptedAcl(acl: readonly Acl[]): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined;
  // Nearly all lists are the open one: share it.
  if (acl.every(isOpenEntry)) return OPEN_ACL;
  const accepted = new Map<string, Acl>();
  for (const entry of acl) {
    if (!isValid(entry)) return undefined;
    // No scheme that is valid has a colon.
    const key = `${entry.permissions}:${entry.scheme}:${entry.id}`;
    if (!accepted.has(key)) accepted.set(key, ownCopy(entry));
  }
  return [...accepted.values()];
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
  let end = id.length;
  while (end > 0 && id.charCodeAt(end - 1) === COLON) end -= 1;
  const colon = id.indexOf(":");
  // Behind the first colon is something else than colons, and no second one before it.
  return colon !== -1 && colon < end && id.lastIndexOf(":", end - 1) === colon;
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

function ownCopy(entry: Acl): Acl {
  // A decoded string may be a slice that keeps its whole batch alive: join and cut makes a small one.
  const own = (text: string): string => ` ${text}`.slice(1);
  return { permissions: entry.permissions, scheme: own(entry.scheme), id: own(entry.id) };
}
