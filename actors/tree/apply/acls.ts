/**
 * Which access control lists a znode may be given. Source: PrepRequestProcessor.fixupACL with the providers that ZooKeeper registers by
 * default. Neither ZooKeeper nor this module checks the permission bits. The gateways take no list but the open one
 * (`gateway/checks.ts`). A log may hold other lists, of any size, so everything here takes time linear in the list's bytes.
 */
import { type Acl, isOpenEntry, OPEN_ACL } from "../../../protocol/acl.ts";

const COLON = 0x3a;

/** The list as it is stored, without repetitions, or undefined if it is not valid. */
export function acceptedAcl(acl: readonly Acl[]): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined;
  // Nearly all lists are the open one, so its znodes share one object.
  if (acl.every(isOpenEntry)) return OPEN_ACL;
  const accepted = new Map<string, Acl>();
  for (const entry of acl) {
    if (!isValid(entry)) return undefined;
    // The key is unambiguous, since no valid scheme has a colon.
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

/** Whether the id is `user:hash` when it is split as Java splits, which drops empty strings at the end. */
function isDigest(id: string): boolean {
  let end = id.length;
  while (end > 0 && id.charCodeAt(end - 1) === COLON) end -= 1;
  const colon = id.indexOf(":");
  // After the first colon there is something other than colons, and up to there no second colon.
  return colon !== -1 && colon < end && id.lastIndexOf(":", end - 1) === colon;
}

/** Whether the id is an IPv4 address, with or without a prefix length. */
function isAddress(id: string): boolean {
  const slash = id.indexOf("/");
  const address = slash === -1 ? id : id.slice(0, slash);
  if (slash !== -1 && !isWithin(id.slice(slash + 1), 32)) return false;
  const octets = address.split(".");
  return octets.length === 4 && octets.every((octet) => isWithin(octet, 255));
}

function isWithin(text: string, max: number): boolean {
  return /^[+-]?[0-9]{1,10}$/.test(text) && Number(text) >= 0 && Number(text) <= max;
}

function ownCopy(entry: Acl): Acl {
  // A decoded string may be a slice that keeps the memory of its whole batch alive. To prepend and cut off a space makes a string of
  // its own.
  const own = (text: string): string => ` ${text}`.slice(1);
  return { permissions: entry.permissions, scheme: own(entry.scheme), id: own(entry.id) };
}
