/**
 * Where quotas stand in the tree, and how their text reads. Sources: ZooKeeper's Quotas and StatsTrack. The quota of `/a` is two znodes:
 * `/zookeeper/quota/a/zookeeper_limits` holds what may be there, `/zookeeper/quota/a/zookeeper_stats` what is there, the znode
 * `/a` itself included.
 */
export const QUOTA_PATH = "/zookeeper/quota";
const BELOW_QUOTA = `${QUOTA_PATH}/`;
const LETTER_Z = 0x7a;
const LIMITS = "/zookeeper_limits";
const STATS = "/zookeeper_stats";

export function limitsPath(path: string): string {
  return QUOTA_PATH + path + LIMITS;
}

export function statsPath(path: string): string {
  return QUOTA_PATH + path + STATS;
}

/** Most paths begin with another letter, which is the cheapest to see. */
export function isBelowQuota(path: string): boolean {
  return path.charCodeAt(1) === LETTER_Z && path.startsWith(BELOW_QUOTA);
}

export function isStatsPath(path: string): boolean {
  return path.endsWith(STATS) && isBelowQuota(path);
}

/** The limits or the counts of a quota, and of which path. */
export type QuotaZnode = { readonly kind: "limits" | "stats"; readonly path: string };

/**
 * What the znode at `path` is to a quota; undefined if it is nothing to one. The quota of the empty path is the root's: it is counted
 * when its counts are made, and neither kept up nor enforced, as in ZooKeeper.
 */
export function quotaZnodeAt(path: string): QuotaZnode | undefined {
  if (!isBelowQuota(path)) return undefined;
  if (path.endsWith(LIMITS)) {
    return { kind: "limits", path: path.slice(QUOTA_PATH.length, -LIMITS.length) };
  }
  if (isStatsPath(path)) {
    return { kind: "stats", path: path.slice(QUOTA_PATH.length, -STATS.length) };
  }
  return undefined;
}

/** A text beyond this length is none of a quota, so that to read it costs no more than the write that it is read for. */
const TEXT_BYTES_MAX = 1024;
const LONG_MAX: bigint = 2n ** 63n - 1n;
/** ZooKeeper's value of what is not there, also of a limit that is not set. */
export const UNSET = -1n;

/** The limits or the counts of a quota: numbers by name. */
export class QuotaNumbers {
  readonly #values = new Map<string, bigint>();

  /** Reads the data of a znode. What is no pair of a name and a number counts as not there; ZooKeeper's server stops over it. */
  constructor(data: Uint8Array | null = null) {
    if (data === null || data.length > TEXT_BYTES_MAX) return;
    for (const pair of new TextDecoder().decode(data).split(/[,;]+/)) {
      const [name = "", value] = pair.split("=");
      const number = value === undefined ? undefined : longOf(value);
      if (number !== undefined) this.#values.set(name, number);
    }
  }

  get count(): bigint {
    return this.#get("count");
  }

  get bytes(): bigint {
    return this.#get("bytes");
  }

  get countHardLimit(): bigint {
    return this.#get("countHardLimit");
  }

  get byteHardLimit(): bigint {
    return this.#get("byteHardLimit");
  }

  /** Sets both counts, which are Java's longs. */
  setCounts(count: bigint, bytes: bigint): void {
    this.#values.set("count", BigInt.asIntN(64, count));
    this.#values.set("bytes", BigInt.asIntN(64, bytes));
  }

  /** As ZooKeeper writes it, with a second `=` behind the bytes if more follows, for readers of old. */
  encode(): Uint8Array {
    const others = [...this.#values.keys()].filter((name) => name !== "count" && name !== "bytes");
    const rest = others.sort().map((name) => `;${name}=${this.#get(name)}`);
    const text = `count=${this.count},bytes=${this.bytes}${rest.length > 0 ? "=" : ""}${rest.join("")}`;
    return new TextEncoder().encode(text);
  }

  #get(name: string): bigint {
    return this.#values.get(name) ?? UNSET;
  }
}

/** Reads a number as Java's `Long.parseLong` does; an empty text stands for what is not set. */
function longOf(text: string): bigint | undefined {
  if (text === "") return UNSET;
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value > LONG_MAX || value < -LONG_MAX - 1n ? undefined : value;
}
