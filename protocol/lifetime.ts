/**
 * How long a znode without children stays: the containers and the znodes with a time to live (TTL) of ZooKeeper. Source: its
 * EphemeralType, whose names and limits these are. Clients see the `ephemeralOwner` 0 of both (DataNode.copyStat).
 */

/**
 * Milliseconds after its data was set that a znode without children stays, or CONTAINER: it stays until its last child is gone. A znode
 * that only a client deletes has no lifetime.
 */
export type Lifetime = number & { readonly __brand: "Lifetime" };

export const CONTAINER: Lifetime = 0 as Lifetime;

/** ZooKeeper keeps 40 bits of a TTL: 35 years. */
export const TTL_MS_MAX = 0xff_ffff_ffff;

/** The lifetime of a znode with this TTL in milliseconds; undefined if it is none. */
export function ttlOf(ms: number): Lifetime | undefined {
  const isTtl = Number.isInteger(ms) && ms > 0 && ms <= TTL_MS_MAX;
  return isTtl ? (ms as Lifetime) : undefined;
}

/** What a reaper goes by, of a znode with a lifetime. */
export type Childless = {
  readonly lifetime: Lifetime;
  readonly numChildren: number;
  /** How many children it ever had. */
  readonly creates: number;
  readonly mtime: number;
};

/**
 * Whether its lifetime is over. A container that never had children stays, unless that is so for more than `unusedMs`; 0: it stays for
 * ever. Source: ZooKeeper's ContainerManager.
 */
export function isOver(znode: Childless, timeMs: number, unusedMs: number): boolean {
  if (znode.numChildren > 0) return false;
  const elapsedMs = timeMs - znode.mtime;
  if (znode.lifetime !== CONTAINER) return elapsedMs > znode.lifetime;
  return znode.creates > 0 || (unusedMs > 0 && elapsedMs > unusedMs);
}
