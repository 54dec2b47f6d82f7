/**
 * What access control lists allow, and which of them are valid. Sources: ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL,
 * FinalRequestProcessor and the authentication providers of ZooKeeper 3.8. Everything here takes time linear in the list.
 */
import { type Acl, OPEN_ACL } from "./acl.ts";
import { ANYONE, type Identity, listed, type Who } from "./identities.ts";

export const Permission = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;

/** Whether the list grants one of the permissions. Nearly all lists are the open one, so its znodes cost this comparison alone. */
export function grants(acl: readonly Acl[], permissions: number, who: Who): boolean {
  return acl === OPEN_ACL || isGranted(acl, permissions, who);
}

/** Whether everybody may read. */
export function isPublic(acl: readonly Acl[]): boolean {
  return grants(acl, Permission.read, ANYONE);
}

/** What is granted to whom, by list: a multi or a client that asks again and again has the same of both. */
const known = new WeakMap<Who, WeakMap<readonly Acl[], number>>();

function isGranted(acl: readonly Acl[], permissions: number, who: Who): boolean {
  let ofWho = known.get(who);
  if (ofWho === undefined) {
    ofWho = new WeakMap();
    known.set(who, ofWho);
  }
  let granted = ofWho.get(acl);
  if (granted === undefined) {
    granted = grantedBy(acl, who);
    ofWho.set(acl, granted);
  }
  return (granted & permissions) !== 0;
}

/** All permissions that the list grants. */
function grantedBy(acl: readonly Acl[], { identities, address }: Who): number {
  if (identities.some(({ scheme }) => scheme === "super")) return EVERYTHING;
  const own = address === undefined ? undefined : addressOf(address);
  const proved = new Set(identities.map(({ scheme, id }) => `${scheme}:${id}`));
  const isEveryUser = proved.has(EVERY_SASL_USER);
  let granted = 0;
  for (const entry of acl) {
    const { scheme, id, permissions } = entry;
    const isOwn =
      scheme === "world"
        ? id === "anyone"
        : scheme === "ip"
          ? own !== undefined && isWithin(own, entry)
          : proved.has(`${scheme}:${id}`) || (isEveryUser && scheme === "sasl");
    if (isOwn) granted |= permissions;
  }
  return granted;
}

/** The user of this name has what is granted to any user of SASL. Source: SASLAuthenticationProvider.matches. */
const EVERY_SASL_USER = "sasl:super";

/** Every bit: neither ZooKeeper nor this module checks which there are. */
const EVERYTHING = -1;

/** The list as it is shown to who may read it and not change it: without the hashes of passwords. */
export function masked(acl: readonly Acl[]): readonly Acl[] {
  if (acl === OPEN_ACL) return acl;
  return acl.map(maskedIdentity);
}

/**
 * Without the hash of a password, from which the password could be guessed: of a digest's id only the user is left. Source: the pattern
 * `:.*` of FinalRequestProcessor.
 */
export function maskedIdentity<Masked extends Identity>(identity: Masked): Masked {
  if (identity.scheme !== "digest") return identity;
  return { ...identity, id: identity.id.replaceAll(/:.*/g, ":x") };
}

export type Scheme = "world" | "ip" | "digest" | "x509" | "sasl";

/** The schemes that are there unless the configuration says otherwise. */
export const DEFAULT_SCHEMES: ReadonlySet<string> = new Set<Scheme>(["world", "ip", "digest"]);
/** The schemes that a stored list may have. */
const STORED_SCHEMES: ReadonlySet<string> = new Set<Scheme>([
  "world",
  "ip",
  "digest",
  "x509",
  "sasl",
]);

/** What is listed under this scheme was proved by a secret, unlike an address. */
function isProved({ scheme }: Identity, schemes: ReadonlySet<string>): boolean {
  return scheme !== "ip" && schemes.has(scheme);
}

/**
 * The list that is stored when this client gives this one: without repetitions, and with what the client has proved in the place of
 * `auth`. Undefined if the list is not valid. `schemes` are those that are served.
 */
export function givenAcl(
  acl: readonly Acl[],
  who: Who,
  schemes: ReadonlySet<string>,
): readonly Acl[] | undefined {
  const given: Acl[] = [];
  for (const entry of withoutRepetitions(acl)) {
    if (entry.scheme === "auth") {
      const proved = listed(who).filter((identity) => isProved(identity, schemes));
      if (proved.length === 0) return undefined;
      for (const { scheme, id } of proved)
        given.push({ permissions: entry.permissions, scheme, id });
    } else if (isValidEntry(entry, schemes)) {
      given.push(entry);
    } else {
      return undefined;
    }
  }
  return given.length === 0 ? undefined : given;
}

/** Whether a list with this entry may be stored. Neither ZooKeeper nor this module checks the permissions. */
export function isValidEntry(
  { scheme, id }: Acl,
  schemes: ReadonlySet<string> = STORED_SCHEMES,
): boolean {
  if (!schemes.has(scheme)) return false;
  switch (scheme) {
    case "world":
      return id === "anyone";
    case "ip":
      return prefixOf(id) !== undefined;
    case "digest":
      return isDigest(id);
    case "sasl":
      return isPrincipal(id);
    default:
      return true;
  }
}

/** Whether the id may be a principal of Kerberos, which may be a plain name. Source: KerberosName. */
function isPrincipal(id: string): boolean {
  return !id.includes("@") || /^[^/@]*(?:\/[^/@]*)?@[^/@]*$/.test(id);
}

function withoutRepetitions(acl: readonly Acl[]): Iterable<Acl> {
  const seen = new Map<string, Acl>();
  for (const entry of acl) {
    const key = `${entry.permissions}:${entry.scheme.length}:${entry.scheme}:${entry.id}`;
    if (!seen.has(key)) seen.set(key, entry);
  }
  return seen.values();
}

const COLON = 0x3a;

/** Whether the id is `user:hash` when it is split as Java splits, which drops empty strings at the end. */
function isDigest(id: string): boolean {
  let end = id.length;
  while (end > 0 && id.charCodeAt(end - 1) === COLON) end -= 1;
  const colon = id.indexOf(":");
  // After the first colon there is something other than colons, and up to there no second colon.
  return colon !== -1 && colon < end && id.lastIndexOf(":", end - 1) === colon;
}

const ADDRESS_BITS = 32;
const OCTET_MAX = 255;

type Prefix = { readonly address: number; readonly bits: number };

/** Reads `10.1.0.0/16`. An address of IPv6 is none, as in ZooKeeper 3.8. */
function prefixOf(id: string): Prefix | undefined {
  const slash = id.indexOf("/");
  const address = addressOf(slash === -1 ? id : id.slice(0, slash));
  const bits = slash === -1 ? ADDRESS_BITS : numberWithin(id.slice(slash + 1), ADDRESS_BITS);
  return address === undefined || bits === undefined ? undefined : { address, bits };
}

/** The four octets as one unsigned number. */
function addressOf(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let address = 0;
  for (const octet of octets) {
    const value = numberWithin(octet, OCTET_MAX);
    if (value === undefined) return undefined;
    address = address * (OCTET_MAX + 1) + value;
  }
  return address;
}

/** Reads a number as Java's Integer.parseInt does. */
function numberWithin(text: string, max: number): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 0 && value <= max ? Math.abs(value) : undefined;
}

/** The prefix of an entry of the scheme ip, which is read once. */
const prefixes = new WeakMap<Acl, Prefix | null>();

function isWithin(own: number, entry: Acl): boolean {
  let prefix = prefixes.get(entry);
  if (prefix === undefined) {
    prefix = prefixOf(entry.id) ?? null;
    prefixes.set(entry, prefix);
  }
  if (prefix === null) return false;
  const size = 2 ** (ADDRESS_BITS - prefix.bits);
  return Math.floor(own / size) === Math.floor(prefix.address / size);
}
