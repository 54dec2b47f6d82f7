/** A znode's bookkeeping as clients see it. Source: ZooKeeper's `Stat` record; `cversion` is `2 * creates - numChildren`. */
import type { Zxid } from "./zxid.ts";

/** The bookkeeping of a znode, as it was at the zxid of the answer or change that has it. Source: ZooKeeper's `Stat` record. */
export type Stat = {
  /** The transaction that created the znode. It tells this znode from others that were at the path before. */
  readonly czxid: Zxid;
  /** The transaction that set its data last; at first `czxid`. */
  readonly mzxid: Zxid;
  /** When it was created, in Unix milliseconds of the leader's clock. */
  readonly ctime: number;
  /** When its data was set last, in Unix milliseconds of the leader's clock; at first `ctime`. */
  readonly mtime: number;
  /** How often its data was set: 0 at first. Writes with a `version` are compared with it. */
  readonly version: number;
  /** How often children of it were created and deleted, both counted. */
  readonly cversion: number;
  /** How often its access control list was set: 0 at first. `setAcl` with a `version` is compared with it. */
  readonly aversion: number;
  /** The session that owns an ephemeral znode; 0 for other znodes. */
  readonly ephemeralOwner: number;
  /** Bytes of data; 0 for a znode without data. */
  readonly dataLength: number;
  /** How many children it has now, without those below them. */
  readonly numChildren: number;
  /** The transaction that created or deleted a child last; `czxid` while it never had any. */
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
