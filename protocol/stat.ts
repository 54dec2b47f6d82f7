/** A znode's bookkeeping as clients see it. Source: ZooKeeper's `Stat` record; `cversion` is `2 * creates - numChildren`. */
import type { Zxid } from "./zxid.ts";

export type Stat = {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  /** Unix milliseconds of the leader's clock, from the record. */
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** The session that owns an ephemeral znode; 0 for other znodes. */
  readonly ephemeralOwner: number;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;
};

/** In the order in which they travel. */
export const STAT_FIELDS: readonly (keyof Stat)[] = [
  "czxid",
  "mzxid",
  "ctime",
  "mtime",
  "version",
  "cversion",
  "aversion",
  "ephemeralOwner",
  "dataLength",
  "numChildren",
  "pzxid",
];
