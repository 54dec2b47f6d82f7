/** A znode's bookkeeping as clients see it. Source: ZooKeeper's `Stat` record; `cversion` is `2 * creates - numChildren`. */
import type { Zxid } from "./zxid.ts";

export type Stat = {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  /** Unix milliseconds, the leader's clock at the record. */
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** Session id of an ephemeral's owner, else 0. */
  readonly ephemeralOwner: number;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;
};
