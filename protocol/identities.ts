/**
 * Who a connection is: what it has proved, and the address that it comes from. Access control lists name such identities
 * (`access.ts`). Sources: ZooKeeper's ServerCnxn.authInfo and AuthUtil.
 */

/** One thing that a connection is known by, as access control lists name it. Source: ZooKeeper's `Id`. */
export type Identity = {
  /** How it was proved, such as `digest`, `x509` or `sasl`; `ip`: the address that the connection comes from. */
  readonly scheme: string;
  /** Who, in the scheme's own form, such as `user:hash`. */
  readonly id: string;
};

/** What one connection is known by. Another object takes its place when the connection proves one more identity. */
export type Who = {
  /** Without the address. */
  readonly identities: readonly Identity[];
  /** Undefined: the connection has no address that a list could name, like one over NATS. */
  readonly address: string | undefined;
};

export const NO_IDENTITIES: readonly Identity[] = [];

/** Has what everybody has, and nothing more. */
export const ANYONE: Who = { identities: NO_IDENTITIES, address: undefined };

/** May do everything. */
export const SUPER: Identity = { scheme: "super", id: "" };

/** Nothing is checked of who has it. Unlike the superuser's it is not shown. */
const UNCHECKED_IDENTITY: Identity = { scheme: "super", id: "unchecked" };

/** Who everybody is where lists are not checked. */
export const UNCHECKED: Who = { identities: [UNCHECKED_IDENTITY], address: undefined };

export function sameIdentity(left: Identity, right: Identity): boolean {
  return left.scheme === right.scheme && left.id === right.id;
}

/** What a connection has proved, with one identity more. */
export function withIdentity(
  identities: readonly Identity[],
  added: Identity,
): readonly Identity[] {
  return identities.some((each) => sameIdentity(each, added)) ? identities : [...identities, added];
}

/**
 * All identities of a connection, its address among them, in the order in which ZooKeeper lists them: that of a ConcurrentHashMap
 * whose keys are the identities.
 */
export function listed(who: Who): readonly Identity[] {
  const known = lists.get(who);
  if (known !== undefined) return known;
  const { identities, address } = who;
  const shown = identities.filter((identity) => identity !== UNCHECKED_IDENTITY);
  const all = address === undefined ? shown : [{ scheme: "ip", id: address }, ...shown];
  const buckets = bucketsFor(all.length);
  const list = all
    .map((identity) => ({ identity, bucket: spread(hashOf(identity)) & (buckets - 1) }))
    .toSorted((left, right) => left.bucket - right.bucket)
    .map(({ identity }) => identity);
  lists.set(who, list);
  return list;
}

/** The list is asked for with each entry `auth` of each member of a multi, and is made once. */
const lists = new WeakMap<Who, readonly Identity[]>();

const BUCKETS_MIN = 16;

/** The table grows when three quarters of its buckets could be full. */
function bucketsFor(size: number): number {
  let buckets = BUCKETS_MIN;
  while (size >= buckets - (buckets >>> 2)) buckets *= 2;
  return buckets;
}

function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}

/** Id.hashCode, as jute generates it. */
function hashOf({ scheme, id }: Identity): number {
  let hash = 17;
  for (const text of [scheme, id]) hash = (Math.imul(37, hash) + textHash(text)) | 0;
  return hash;
}

/** Java's String.hashCode. */
function textHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0;
  }
  return hash;
}
