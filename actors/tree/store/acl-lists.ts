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

type Shared = { readonly acl: readonly Acl[]; readonly bytes: number; count: number };

export class AclLists {
  readonly #states = new Map<number, AclState>();
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
    const shared = acl === OPEN_ACL ? acl : this.#share(acl);
    this.delete(znode);
    if (acl === OPEN_ACL && aversion === 0) return;
    this.#states.set(znode, { acl: shared, aversion });
    if (!isPublic(shared)) this.#closed += 1;
  }

  delete(znode: number): void {
    const state = this.#states.get(znode);
    if (state === undefined) return;
    this.#states.delete(znode);
    if (state.acl === OPEN_ACL) return;
    if (!isPublic(state.acl)) this.#closed -= 1;
    this.#release(state.acl);
  }

  #share(acl: readonly Acl[]): readonly Acl[] {
    const key = keyOf(acl);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { acl, bytes: aclHeapBytes(acl), count: 0 };
      this.#shared.set(key, shared);
      this.#bytes += shared.bytes;
    }
    shared.count += 1;
    return shared.acl;
  }

  #release(acl: readonly Acl[]): void {
    const key = keyOf(acl);
    const shared = this.#shared.get(key);
    if (shared === undefined) return;
    shared.count -= 1;
    if (shared.count > 0) return;
    this.#shared.delete(key);
    this.#bytes -= shared.bytes;
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
