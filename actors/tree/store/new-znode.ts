/** What the znodes of a tree, and one of them, are made with. */
import type { Acl } from "../../../protocol/acl.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import type { Lifetime } from "../../../protocol/lifetime.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

export type ZnodesSetup = {
  /** The key of the hash of names: secret and random, of `HASH_KEY_BYTES`. */
  readonly key: Uint8Array;
  /** The size of a slab in the arena. */
  readonly slabBytes: number;
};

export type NewZnode = {
  readonly acl: readonly Acl[];
  readonly zxid: Zxid;
  readonly timeMs: number;
  readonly owner: SessionId;
  readonly lifetime: Lifetime | undefined;
  readonly data: Uint8Array | null;
};
