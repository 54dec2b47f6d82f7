/**
 * Which paths have a quota: those whose limits are in the tree. This follows from the znodes, so it is part of no snapshot. What a quota
 * allows and what it counts stand in znodes only (`protocol/quota.ts`).
 */
import { quotaZnodeAt, QUOTA_PATH } from "../../../protocol/quota.ts";
import { addBranch, createBranch, removeBranch, visitAlong } from "../store/path-branches.ts";
import type { Znodes, ZnodeId } from "../store/znodes.ts";

/** A write that goes, or would have gone, beyond a limit. */
export type QuotaExcess = {
  /** The path that has the quota. */
  readonly path: string;
  readonly of: "count" | "bytes";
  /** What there is, or would be, and what may be. */
  readonly is: bigint;
  readonly limit: bigint;
  readonly refused: boolean;
};

/** What a quota takes in the heap, by estimate, beside the characters of its path. */
const QUOTA_HEAP_BYTES = 320;

export class Quotas {
  /** By record time: when a lane noted last that a quota was exceeded. It only thins out the log. */
  readonly notedMs: Map<string, number> = new Map();
  /** What is to be logged once the record is applied, if the lane is the one whose client wrote it. */
  excesses: QuotaExcess[] = [];
  #heapBytes = 0;
  readonly #paths = new Set<string>();
  readonly #branches = createBranch<string>();

  get size(): number {
    return this.#paths.size;
  }

  get heapBytes(): number {
    return this.#heapBytes;
  }

  /** Visits the paths with a quota that `path` is at or below, the shortest first. */
  visitAbove(path: string, visit: (quota: string) => void): void {
    visitAlong(this.#branches, path, visit);
  }

  /** Notes whether the path has a quota. The root has none, whatever its znodes say, as in ZooKeeper. */
  set(path: string, present: boolean): void {
    if (path === "" || this.#paths.has(path) === present) return;
    const bytes = QUOTA_HEAP_BYTES + 2 * path.length;
    if (present) {
      this.#paths.add(path);
      addBranch(this.#branches, path, path);
      this.#heapBytes += bytes;
    } else {
      this.#paths.delete(path);
      removeBranch(this.#branches, path, path);
      this.notedMs.delete(path);
      this.#heapBytes -= bytes;
    }
  }
}

/** Finds the quotas of a tree, as one that is loaded from a snapshot needs. */
export function quotasOf(znodes: Znodes): Quotas {
  const quotas = new Quotas();
  const root = znodes.find(QUOTA_PATH);
  const left: ZnodeId[] = root === undefined ? [] : [root];
  for (let znode = left.pop(); znode !== undefined; znode = left.pop()) {
    const found = quotaZnodeAt(znodes.path(znode));
    if (found?.kind === "limits") quotas.set(found.path, true);
    znodes.visitChildren(znode, (child) => left.push(child));
  }
  return quotas;
}
