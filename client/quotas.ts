/**
 * Quotas of a part of the tree, as ZooKeeper keeps them: two znodes below `/zookeeper/quota`, one with the limits, one with the counts.
 * docs/operations/quotas.md says what becomes of a write beyond them.
 */
import { NodeExistsError, NoNodeError } from "../protocol/errors.ts";
import { QUOTA_PATH, QuotaNumbers, UNSET } from "../protocol/quota.ts";
import type { Operations } from "./operations.ts";
import type { CallOptions } from "./wire.ts";

/** How much may be at a path and below it. What is not given is not limited. */
export type QuotaLimits = {
  /** Znodes, the one at the path included. Beyond it, it is only logged. */
  readonly znodes?: number;
  /** Bytes of data. Beyond it, it is only logged. */
  readonly bytes?: number;
  /** As `znodes`; an ensemble that enforces quotas refuses what goes beyond it. */
  readonly znodesHard?: number;
  /** As `bytes`; an ensemble that enforces quotas refuses what goes beyond it. */
  readonly bytesHard?: number;
};

/** A quota, and what of it is used. */
export type Quota = {
  /** What may be there. */
  readonly limits: QuotaLimits;
  /** How many znodes are there now, the one at the path included. */
  readonly znodes: number;
  /** How many bytes their data has now. */
  readonly bytes: number;
};

const NAMES = {
  znodes: "count",
  bytes: "bytes",
  znodesHard: "countHardLimit",
  bytesHard: "byteHardLimit",
} as const;

/** Returns undefined where the path has no quota of its own. */
export async function quotaOf(
  client: Operations,
  path: string,
  options: CallOptions,
): Promise<Quota | undefined> {
  const { limits, stats } = placesOf(path);
  try {
    const [may, is] = await Promise.all([client.get(limits, options), client.get(stats, options)]);
    const numbers = new QuotaNumbers(may.data);
    const given = Object.entries(NAMES).map(([name, field]) => [name, numbers[field]] as const);
    const set = given.filter(([, value]) => value !== UNSET);
    const { count, bytes } = new QuotaNumbers(is.data);
    return {
      limits: Object.fromEntries(set.map(([name, value]) => [name, Number(value)])),
      znodes: Number(count),
      bytes: Number(bytes),
    };
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

export async function setQuota(
  client: Operations,
  path: string,
  limits: QuotaLimits | null,
  options: CallOptions,
): Promise<void> {
  const places = placesOf(path);
  if (limits === null) {
    await absentAfter(client.delete(places.limits, options));
    await absentAfter(client.delete(places.stats, options));
    return;
  }
  const { znodes = -1, bytes = -1, znodesHard = -1, bytesHard = -1 } = limits;
  const hard = `;byteHardLimit=${bytesHard};countHardLimit=${znodesHard}`;
  await client.put(places.limits, `count=${znodes},bytes=${bytes}=${hard}`, options);
  try {
    await client.create(places.stats, "count=0,bytes=0", options);
  } catch (error) {
    if (!(error instanceof NodeExistsError)) throw error;
  }
}

function placesOf(path: string): { readonly limits: string; readonly stats: string } {
  const below = `${QUOTA_PATH}${path === "/" ? "" : path}`;
  return { limits: `${below}/zookeeper_limits`, stats: `${below}/zookeeper_stats` };
}

async function absentAfter(deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
}
