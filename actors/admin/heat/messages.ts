/** How long requests took lately, by kind of operation, by time and by path: what gateways tell the admin actor, and the answer to `heat`. */
import type { ServerId } from "../../../protocol/ids.ts";

/** The kinds of operations whose times are kept apart. */
export const LATENCY_KINDS = [
  "get",
  "exists",
  "children",
  "create",
  "set",
  "delete",
  "multi",
  "sync",
  "other",
] as const;
/** Up to three minutes. Longer ones are in the last bucket. */
export const LATENCY_BUCKETS = 44;

/** How many requests of a kind took as long as a bucket says: the column is 0 for the ten seconds that are going on, 1 for those before, and so on. */
export type LatencyCell = readonly [column: number, kind: number, bucket: number, count: number];

/** How many requests at znodes whose paths begin alike took as long as a bucket says. */
export type PrefixLatencies = {
  /** One name or two, such as `/app/locks`; of one name, what is not kept apart below it too. Empty: all others. */
  readonly prefix: string;
  /** Those that are not zero. */
  readonly counts: readonly (readonly [bucket: number, count: number])[];
};

/** The answer to `heat`. */
export type HeatAnswer = {
  readonly node: ServerId;
  readonly columnMs: number;
  readonly columns: number;
  readonly kinds: readonly string[];
  /** The longest time of each bucket, in milliseconds. */
  readonly upToMs: readonly number[];
  /** Those that are not zero. */
  readonly cells: readonly LatencyCell[];
  /** By path, of the same ten minutes: the most frequent first. */
  readonly prefixes: readonly PrefixLatencies[];
};
