/** What calls take beside a path and a value, and what they return. */
import type { Acl } from "../protocol/acl.ts";
import { CONTAINER, type Lifetime } from "../protocol/lifetime.ts";
import type { Stat } from "../protocol/stat.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { CallOptions } from "./wire.ts";

/** An access control list that was read, and what ends its znode without a delete. */
export type AclReading = {
  /** Who may do what with the znode. */
  readonly acl: readonly Acl[];
  /** That of the znode when the list was read. */
  readonly stat: Stat;
  /** It is a container. Over ZooKeeper's protocol, which does not tell it, never. */
  readonly container?: true;
  /** Its time to live in milliseconds. Over ZooKeeper's protocol, which does not tell it, never. */
  readonly ttlMs?: number;
};

export function aclReading({
  acl,
  stat,
  lifetime,
}: Pick<AclReading, "acl" | "stat"> & { readonly lifetime?: Lifetime }): AclReading {
  if (lifetime === undefined) return { acl, stat };
  return lifetime === CONTAINER ? { acl, stat, container: true } : { acl, stat, ttlMs: lifetime };
}

/** How a znode is read. */
export type ReadOptions = CallOptions & {
  /**
   * `session`: the read sees all that this client has done and seen. `linearizable`: it also sees every write that anyone had finished
   * before the call, which costs a round through the leader. Default `session`.
   */
  readonly consistency?: "session" | "linearizable" | undefined;
};

/**
 * How a znode is created, and how it ends: at most one of `ephemeral`, `container` and `ttlMs` is given. Source: ZooKeeper's CreateMode.
 */
export type CreateOptions = CallOptions & {
  /** True: the znode is deleted when the session ends. Default false. */
  readonly ephemeral?: boolean;
  /** True: ten digits are appended to the name, larger with each create below the same parent. Default false. */
  readonly sequential?: boolean;
  /**
   * True: the znode is a container. The leader deletes it some time after its last child is gone; while it never had any, it stays.
   * Default false. A container has no other end: it is not ephemeral and has no TTL. ZooKeeper has them since 3.5; with older servers it is an
   * UnsupportedError.
   */
  readonly container?: boolean;
  /**
   * Milliseconds, 1 to 1_099_511_627_775: the leader deletes the znode some time after its data was last set so long ago, if it has no
   * children then. Default: it stays. The znode is not ephemeral. UnsupportedError where servers know no TTLs: ZooKeeper before 3.5, and
   * later ones whose configuration does not allow them, which is their default.
   */
  readonly ttlMs?: number;
  /** Who may do what with it. Default: everybody everything. */
  readonly acl?: readonly Acl[];
  /**
   * True: ancestors that are missing are made first, without data and with the same list. `"container"`: as containers, which go when they
   * are empty again; where servers know no containers (ZooKeeper 3.4) as znodes that stay. Default false.
   */
  readonly parents?: boolean | "container";
  /** True: a znode that is there already is left as it is, and `created` is false. Default false. Not with `sequential`. */
  readonly ifNotExists?: boolean;
};

/** What `create` and `put` resolve with. */
export type Created = {
  /** With the sequence number, if there is one. */
  readonly path: string;
  /** The znode's own, after the operation. */
  readonly stat: Stat;
  /** The operation's own: `changes(path, { from: zxid })` tells of what is done after it. */
  readonly zxid: Zxid;
  /** False: the znode was there already. `create` then has left it as it was (`ifNotExists`), `put` has set its value. */
  readonly created: boolean;
};

/** How a znode is changed: compare and set. */
export type VersionOptions = CallOptions & {
  /** The operation is rejected with BadVersionError unless the znode has this version. Default: any version will do. */
  readonly version?: number;
};

/** What `put` and `update` take beside the value. */
export type PutOptions = CallOptions & {
  /** Who may do what with the znode if it is made. Default: everybody everything. */
  readonly acl?: readonly Acl[];
};

/** How a znode is deleted. Only one of `version` and `recursive` may be given. */
export type DeleteOptions = VersionOptions & {
  /**
   * True: all that is below the znode is deleted, too. Over NATS that is one step, if there are at most 10,000 znodes; otherwise they are
   * deleted from below, and others see that. Default false.
   */
  readonly recursive?: boolean;
};

/** What was read of a znode. */
export type Reading<Value> = {
  /** What the key makes of the bytes; without a key, the bytes. */
  readonly value: Value;
  /** The bytes that the value was made of. Null: the znode has no data. */
  readonly data: Uint8Array | null;
  /** The znode's own, when it was read or written. */
  readonly stat: Stat;
  /** `changes(path, { from: zxid })` goes on from this read without a gap. */
  readonly zxid: Zxid;
};
