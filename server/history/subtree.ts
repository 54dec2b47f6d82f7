/**
 * All that is needed to make the znodes of a subtree again as they were. Lists of access come with the hashes that are in them, which are nobody's to see: this is
 * for the node, which gives them to the tree.
 */
import { isPublic } from "../../protocol/access.ts";
import type { Acl } from "../../protocol/acl.ts";
import { SESSION_NONE } from "../../protocol/ids.ts";
import type { Lifetime } from "../../protocol/lifetime.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId } from "../../actors/tree/store/znodes.ts";
import { SUBTREE_BYTES_MAX } from "./limits.ts";
import { Walk } from "./walk.ts";

export type ZnodeToMake = {
  readonly path: string;
  readonly base64: string | null;
  readonly acl: readonly Acl[];
  /** Null: it stays until somebody deletes it. */
  readonly lifetime: Lifetime | null;
};

export type SubtreePage = {
  /** A parent before its children. */
  readonly znodes: readonly ZnodeToMake[];
  readonly ephemerals: readonly string[];
  /** How many are left out because not everybody might read them. */
  readonly closed: number;
  /** Null: that was all. */
  readonly next: string | null;
};

type SubtreeOptions = {
  /** The znode at the path. */
  readonly top: ZnodeId;
  readonly path: string;
  /** How many znodes are behind. */
  readonly skipped: number;
};

export class Subtree {
  readonly #state: TreeState;
  readonly #walk: Walk;
  #looked: number;

  constructor(state: TreeState, { top, path, skipped }: SubtreeOptions) {
    this.#state = state;
    this.#walk = new Walk(state, top, { top: path, skipped });
    this.#looked = skipped;
  }

  /** Looks at so many znodes at most, and ends when it has values of SUBTREE_BYTES_MAX bytes. */
  page(limit: number): SubtreePage {
    const { znodes: all } = this.#state;
    const znodes: ZnodeToMake[] = [];
    const ephemerals: string[] = [];
    let [closed, bytes] = [0, 0];
    const end = this.#looked + limit;
    while (this.#looked < end && bytes < SUBTREE_BYTES_MAX) {
      const step = this.#walk.next();
      if (step === undefined) return { znodes, ephemerals, closed, next: null };
      this.#looked += 1;
      const { id, path } = step;
      const acl = all.acl(id);
      if (!isPublic(acl)) closed += 1;
      else if (all.ephemeralOwner(id) !== SESSION_NONE) ephemerals.push(path);
      else {
        const data = all.data(id);
        bytes += all.dataLength(id);
        const base64 = data === null ? null : Buffer.from(data).toString("base64");
        znodes.push({ path, base64, acl, lifetime: all.lifetimes.get(id) ?? null });
      }
    }
    return { znodes, ephemerals, closed, next: String(this.#looked) };
  }
}
