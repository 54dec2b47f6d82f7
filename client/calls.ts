/** What calls take beside a path and a value, and what they return. */
import type { Acl } from "../protocol/acl.ts";
import type { Stat } from "../protocol/stat.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { CallOptions } from "./wire.ts";

export type ReadOptions = CallOptions & {
  /**
   * `session`: the read sees all that this client has done and seen. `linearizable`: it also sees every write that anyone had finished
   * before the call, which costs a round through the leader. Default `session`.
   */
  readonly consistency?: "session" | "linearizable" | undefined;
};

export type CreateOptions = CallOptions & {
  /** True: the znode is deleted when the session ends. Default false. */
  readonly ephemeral?: boolean;
  /** True: ten digits are appended to the name, larger with each create below the same parent. Default false. */
  readonly sequential?: boolean;
  /**
   * True: the znode is a container. The leader deletes it some time after its last child is gone; while it never had any, it stays.
   * Default false. A container has no other end: it is not ephemeral and has no TTL.
   */
  readonly container?: boolean;
  /**
   * Milliseconds, 1 to 1_099_511_627_775: the leader deletes the znode some time after its data was last set so long ago, if it has no
   * children then. Default: it stays. The znode is not ephemeral.
   */
  readonly ttlMs?: number;
  /** Who may do what with it. Default: everybody everything. */
  readonly acl?: readonly Acl[];
  /** True: ancestors that are missing are made first, without data and with the same list. `"container"`: as containers. Default false. */
  readonly parents?: boolean | "container";
  /** True: a znode that is there already is left as it is, and `created` is false. Default false. Not with `sequential`. */
  readonly ifNotExists?: boolean;
};

export type Created = {
  /** With the sequence number, if there is one. */
  readonly path: string;
  readonly stat: Stat;
  readonly zxid: Zxid;
  /** False only with `ifNotExists`: it was there already. */
  readonly created: boolean;
};

export type VersionOptions = CallOptions & {
  /** The operation is rejected with BadVersionError unless the znode has this version. Default: any version will do. */
  readonly version?: number;
};

export type PutOptions = CallOptions & {
  /** Who may do what with the znode if it is made. Default: everybody everything. */
  readonly acl?: readonly Acl[];
};

export type DeleteOptions = VersionOptions & {
  /**
   * True: all that is below the znode is deleted, too. Over NATS that is one step, if there are at most 10,000 znodes; otherwise they are
   * deleted from below, and others see that. Default false.
   */
  readonly recursive?: boolean;
};

/** What was read of a znode. */
export type Reading<Value> = {
  readonly value: Value;
  /** The bytes that the value was made of. */
  readonly data: Uint8Array | null;
  readonly stat: Stat;
  /** `changes(path, { from: zxid })` goes on from this read without a gap. */
  readonly zxid: Zxid;
};
