/**
 * The order of the log's work. The disk does one thing at a time, so somebody has to wait. While all three kinds of work are waiting, every
 * second piece is a read, and the others are by turns work on snapshots and changes (appends, truncations, promises). So none of them
 * waits for long, however much there is of another kind.
 */
import type { ReadRequest, SnapshotWork } from "./state.ts";

/** What to do next. `change`: begin the change at the head. `nothing`: no work is waiting that may begin now. */
export type NextWork =
  | { readonly kind: "read"; readonly request: ReadRequest }
  | { readonly kind: "snapshotWork"; readonly work: SnapshotWork }
  | { readonly kind: "prepare" }
  | { readonly kind: "change" }
  | { readonly kind: "nothing" };

export class WorkQueue {
  readonly #reads: ReadRequest[] = [];
  readonly #snapshotWork: SnapshotWork[] = [];
  /** The last call of `next` returned a read. */
  #readLast = false;
  /** Work on snapshots was done, and no change has begun since. */
  #snapshotLast = false;

  addRead(request: ReadRequest): void {
    this.#reads.push(request);
  }

  addSnapshotWork(work: SnapshotWork): void {
    this.#snapshotWork.push(work);
  }

  /**
   * Takes the next piece of work. While a change may begin, a read does not follow a read, and one piece of work on snapshots is done
   * between two changes. `mustPrepare`: space has to be prepared before the next change, or appends would outrun the preparation.
   */
  next({
    mayChange,
    mustPrepare,
  }: {
    readonly mayChange: boolean;
    readonly mustPrepare: boolean;
  }): NextWork {
    const [request] = this.#reads;
    if (request !== undefined && (!this.#readLast || !mayChange)) {
      this.#reads.shift();
      this.#readLast = true;
      return { kind: "read", request };
    }
    this.#readLast = false;
    const [work] = this.#snapshotWork;
    if (work !== undefined && (!this.#snapshotLast || !mayChange)) {
      this.#snapshotWork.shift();
      this.#snapshotLast = true;
      return { kind: "snapshotWork", work };
    }
    if (mustPrepare) return { kind: "prepare" };
    return mayChange ? { kind: "change" } : { kind: "nothing" };
  }

  /**
   * Must be called when the change has begun that `next` has named. Appends that wait for the end of the turn have not begun, so the turn
   * of the changes is not over.
   */
  changeBegan(): void {
    this.#snapshotLast = false;
  }
}
