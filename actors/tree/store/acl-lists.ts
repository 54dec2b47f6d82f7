/**
 * The access control lists of the znodes that have another than the open one, and how often each was set. Lists that are alike are one
 * object: many znodes have the same few.
 */
import { OPEN_ACL, type Acl } from "../../../protocol/acl.ts";
import { isPublic } from "../../../protocol/access.ts";

/** A list of access control entries, and how often it was set. */
export type AclState = { readonly acl: readonly Acl[]; readonly aversion: number };

const OPEN: AclState = { acl: OPEN_ACL, aversion: 0 };

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
    return (this.#states.size === 0 ? undefined : this.#states.get(znode)) ?? OPEN;
  }

  set(znode: number, acl: readonly Acl[], aversion: number): void {
    // The new list may be the one that is there.
    const shared = acl === OPEN_ACL ? undefined : this.#share(acl);
    this.delete(znode);
    if (acl === OPEN_ACL && aversion === 0) return;
    this.#states.set(znode, { acl: shared?.acl ?? OPEN_ACL, aversion, shared });
    if (shared?.isPublic === false) this.#closed += 1;
  }

  delete(znode: number): void {
    const state = this.#states.get(znode);
    if (state === undefined) return;
    this.#states.delete(znode);
    const { shared } = state;
    if (shared === undefined) return;
    if (!shared.isPublic) this.#closed -= 1;
    shared.count -= 1;
    if (shared.count > 0) return;
    this.#shared.delete(shared.key);
    this.#bytes -= shared.bytes;
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
