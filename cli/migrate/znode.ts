/** A znode as a migration compares and copies it, and how it is read from either side. */
import {
  type Acl,
  type Client,
  NoAuthError,
  NoNodeError,
  type Stat,
} from "../../client/connect.ts";
import { CONTAINER, type Lifetime, ttlOf } from "../../protocol/lifetime.ts";
import type { KnownLifetimes } from "./lifetimes.ts";

/** `unknown`: over ZooKeeper's protocol no server says whether a znode is a container or has a TTL. */
export type LifetimeReading = Lifetime | "none" | "unknown";

export type Znode = {
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly stat: Stat;
  readonly lifetime: LifetimeReading;
};

/** `hidden`: access control lists do not allow to read it, or to see whose its list is. */
export type Look =
  | { readonly kind: "found"; readonly znode: Znode }
  | { readonly kind: "absent" }
  | { readonly kind: "hidden" };

export const ABSENT: Look = { kind: "absent" };
const HIDDEN: Look = { kind: "hidden" };

/** One of the two ensembles. */
export type Side = {
  readonly client: Client;
  /** Its server says whether a znode is a container or has a TTL. */
  readonly tellsLifetimes: boolean;
  /** What is known of lifetimes that its server does not tell. */
  readonly lifetimes: KnownLifetimes | undefined;
};

/** How many times a znode's data and list are read until nobody has changed the znode between the two. */
const READS_MAX = 8;

/** It has no signal, whose listeners would cost as much as the reads: it ends by its answers, or with its session. */
export async function look(side: Side, path: string): Promise<Look> {
  try {
    for (let reads = 1; ; reads += 1) {
      const [{ data, stat }, reading] = await Promise.all([
        side.client.get(path),
        side.client.acl(path),
      ]);
      if (reads < READS_MAX && stat.czxid !== reading.stat.czxid) continue;
      if (isMasked(reading.acl)) return HIDDEN;
      const lifetime = side.tellsLifetimes ? lifetimeOf(reading) : knownOf(side, path, stat);
      return { kind: "found", znode: { data, stat, acl: reading.acl, lifetime } };
    }
  } catch (error) {
    if (error instanceof NoNodeError) return ABSENT;
    if (error instanceof NoAuthError) return HIDDEN;
    throw error;
  }
}

export function isEphemeral({ ephemeralOwner }: Stat): boolean {
  return ephemeralOwner !== 0;
}

/** What a migration copies: a znode that is there and outlasts sessions. */
export function lasting(seen: Look): Znode | undefined {
  return seen.kind === "found" && !isEphemeral(seen.znode.stat) ? seen.znode : undefined;
}

/**
 * How many children were ever created: the number that the next sequential child gets. The sum wraps as the 32 bits of `cversion` do.
 * Source: DataNode.copyStat, where `cversion` is `2 * creates - numChildren`.
 */
export function createsOf({
  cversion,
  numChildren,
}: Pick<Stat, "cversion" | "numChildren">): number {
  return Math.floor(((cversion + numChildren) >>> 0) / 2);
}

/** Who may read a list, but not change it, is shown `x` in place of each password's hash. Source: FinalRequestProcessor's getACL. */
function isMasked(acl: readonly Acl[]): boolean {
  return acl.some(({ scheme, id }) => scheme === "digest" && id.endsWith(":x"));
}

function lifetimeOf(reading: {
  readonly container?: true;
  readonly ttlMs?: number;
}): LifetimeReading {
  if (reading.container === true) return CONTAINER;
  return reading.ttlMs === undefined ? "none" : (ttlOf(reading.ttlMs) ?? "none");
}

function knownOf({ lifetimes }: Side, path: string, stat: Stat): LifetimeReading {
  return lifetimes?.of(path, stat.czxid) ?? "unknown";
}
