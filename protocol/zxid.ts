/**
 * Transaction ids. A zxid is `epoch * 2^32 + counter`: later is larger. In memory it is a number, exact while the epoch is
 * below 2^21; on the wire and on disk it takes 64 bits. Source: ZooKeeper Internals, "Atomic Broadcast".
 */
import { assert } from "./assert.ts";

/**
 * The number of a transaction, by which all that is written is ordered: `epoch * 2^32 + counter`, so a later one is larger, whoever led.
 * Compare them with `<` and `===`; `zxid.toString(16)` is what ZooKeeper's tools print behind `0x`. The brand keeps other numbers out.
 */
export type Zxid = number & { readonly __brand: "Zxid" };
/** The number of a leader's reign. Each epoch has at most one leader. */
export type Epoch = number & { readonly __brand: "Epoch" };

export const COUNTER_MAX = 0xffff_ffff;
export const EPOCH_MAX: number = 2 ** 21 - 1;
const COUNTERS_PER_EPOCH = 2 ** 32;

/** The zxid before every transaction. */
export const ZXID_NONE: Zxid = 0 as Zxid;
/** The epoch before every other. */
export const EPOCH_NONE: Epoch = 0 as Epoch;

export function epoch(value: number): Epoch {
  assert(Number.isInteger(value), "an epoch is an integer");
  assert(value >= 0, "an epoch is not negative");
  assert(value <= EPOCH_MAX, "an epoch stays below 2^21, so that every zxid is exact in a number");
  return value as Epoch;
}

export function zxidOf(of: Epoch, counter: number): Zxid {
  assert(Number.isInteger(counter), "a zxid counter is an integer");
  assert(counter >= 0, "a zxid counter is not negative");
  assert(counter <= COUNTER_MAX, "a full zxid counter needs a new epoch, never a wrap");
  return (of * COUNTERS_PER_EPOCH + counter) as Zxid;
}

/** Returns the zxid `count` transactions after `from`, in the same epoch. */
export function zxidAfter(from: Zxid, count: number): Zxid {
  return zxidOf(epochOf(from), counterOf(from) + count);
}

export function epochOf(zxid: Zxid): Epoch {
  return Math.floor(zxid / COUNTERS_PER_EPOCH) as Epoch;
}

export function counterOf(zxid: Zxid): number {
  return zxid % COUNTERS_PER_EPOCH;
}

/**
 * How many zxids come after `from` and up to `to`; 0 if `to` is no later. Where an epoch ends between them, nobody knows from the two
 * how many zxids it had, and those of `to`'s epoch alone are counted, at least one.
 */
export function zxidsBetween(from: Zxid, to: Zxid): number {
  if (to <= from) return 0;
  return epochOf(from) === epochOf(to) ? to - from : Math.max(1, counterOf(to));
}

export function earlierOf(one: Zxid, other: Zxid): Zxid {
  return one < other ? one : other;
}

export function laterOf(one: Zxid, other: Zxid): Zxid {
  return one > other ? one : other;
}

/** Returns the zxid as ZooKeeper prints it: `0x` and hexadecimal digits. */
export function formatZxid(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}
