/**
 * The access control lists of the znodes that have another than the open one, and how often each was set. Lists that are alike are one
 * object: many znodes have the same few.
 */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { isPublic } from "../../../protocol/access.ts";

/** A list of access control entries, and how often it was set. */
export type AclState = { readonly acl: readonly Acl[]; readonly aversion: number };

const OPEN: AclState = { acl: OPEN_ACL, aversion: 0 };

const LISTED_BYTES = 8;

/** What an entry of a list takes in the heap beside its id, about. */
const ENTRY_HEAP_BYTES = 112;

type Shared = {
  readonly acl: readonly Acl[];
  readonly key: string;
  readonly bytes: number;
  readonly isPublic: boolean;
  /** How many znodes have the list. */
  count: number;
};

/** `shared` undefined: it is the open list. */
type Stored = AclState & { readonly shared: Shared | undefined };

export class AclLists {
  readonly #states = new Map<number, Stored>();
  /**
   * A bit for each number of a znode, up to the highest that has had a list: whether it may have one. There always is a znode with one
   * (`/zookeeper/config`), and all others cost a look at their bit.
   */
  #listed = new Uint8Array(LISTED_BYTES);
  readonly #shared = new Map<string, Shared>();
  #bytes = 0;
  #closed = 0;

  get size(): number {
    return this.#states.size;
  }

  /** What the different lists take in the heap. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is a znode that not everybody may read. */
  get hasClosed(): boolean {
    return this.#closed > 0;
  }

  of(znode: number): AclState {
    const byte = znode >>> 3;
    if (byte >= this.#listed.length) return OPEN;
    if (((this.#listed[byte] ?? 0) & (1 << (znode & 7))) === 0) return OPEN;
    return this.#states.get(znode) ?? OPEN;
  }

  set(znode: number, acl: readonly Acl[], aversion: number): void {
    // The new list may be the one that is there.
    const shared = acl === OPEN_ACL ? undefined : this.#share(acl);
    this.delete(znode);
    if (acl === OPEN_ACL && aversion === 0) return;
    this.#states.set(znode, { acl: shared?.acl ?? OPEN_ACL, aversion, shared });
    this.#setListed(znode);
    if (shared?.isPublic === false) this.#closed += 1;
  }

  delete(znode: number): void {
    const state = this.#states.get(znode);
    if (state === undefined) return;
    this.#states.delete(znode);
    this.#listed[znode >>> 3] = (this.#listed[znode >>> 3] ?? 0) & ~(1 << (znode & 7));
    const { shared } = state;
    if (shared === undefined) return;
    if (!shared.isPublic) this.#closed -= 1;
    shared.count -= 1;
    if (shared.count > 0) return;
    this.#shared.delete(shared.key);
    this.#bytes -= shared.bytes;
  }

  #setListed(znode: number): void {
    const byte = znode >>> 3;
    if (byte >= this.#listed.length) {
      const grown = new Uint8Array(Math.max(2 * this.#listed.length, byte + 1));
      grown.set(this.#listed);
      this.#listed = grown;
    }
    this.#listed[byte] = (this.#listed[byte] ?? 0) | (1 << (znode & 7));
  }

  #share(acl: readonly Acl[]): Shared {
    const key = keyOf(acl);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { acl, key, bytes: aclHeapBytes(acl), isPublic: isPublic(acl), count: 0 };
      this.#shared.set(key, shared);
      this.#bytes += shared.bytes;
    }
    shared.count += 1;
    return shared;
  }
}

/** About what a list takes in the heap, if no other is like it. The key has all of its texts once more. */
export function aclHeapBytes(acl: readonly Acl[]): number {
  if (acl === OPEN_ACL) return 0;
  let bytes = 0;
  for (const { scheme, id } of acl) bytes += ENTRY_HEAP_BYTES + 2 * (scheme.length + id.length);
  return bytes;
}

function keyOf(acl: readonly Acl[]): string {
  let key = "";
  for (const { permissions, scheme, id } of acl) {
    key += `${permissions}:${scheme}:${id.length}:${id}`;
  }
  return key;
}
