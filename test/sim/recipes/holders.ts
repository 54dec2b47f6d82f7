/**
 * Who holds a right, at the true time, and what the right guards outside of the ensemble: a store that refuses fences below the largest that
 * it has seen.
 */

export type Right = { readonly fence: bigint; readonly signal: AbortSignal };

export type Violated = (what: string) => never;

type Grant = { readonly right: Right; readonly isPaused: () => boolean; isOver: boolean };

/** Everybody who has ever held one right. */
export class Holders {
  readonly #name: string;
  readonly #violated: Violated;
  readonly #grants: Grant[] = [];

  constructor(name: string, violated: Violated) {
    this.#name = name;
    this.#violated = violated;
  }

  /**
   * Called as soon as a client has been told that the right is its own. Returns what is called when it uses the right no longer, whether
   * the signal has aborted or not.
   */
  granted(right: Right, isPaused: () => boolean): () => void {
    for (const other of this.#grants) {
      if (other.right.fence >= right.fence) this.#violated(`a fence of ${this.#name} did not grow`);
      if (!other.isOver && !other.right.signal.aborted && !other.isPaused()) {
        this.#violated(`two hold ${this.#name}: the signal of the earlier has not aborted`);
      }
    }
    const grant: Grant = { right, isPaused, isOver: false };
    this.#grants.push(grant);
    return () => {
      grant.isOver = true;
    };
  }

  /** Called by code of a holder, which runs because the signal has not aborted: nobody may hold it who came later. */
  isAlone(right: Right): void {
    for (const other of this.#grants) {
      if (other.right.fence <= right.fence) continue;
      this.#violated(`a holder of ${this.#name} goes on although another has held it since`);
    }
  }
}

/** A store that knows fences: a read counts as being seen, too. */
export class FencedStore {
  value = 0;
  writes = 0;
  refusals = 0;
  #largest = 0n;

  read(fence: bigint): number | undefined {
    if (!this.#takes(fence)) return undefined;
    return this.value;
  }

  write(fence: bigint, value: number): void {
    if (!this.#takes(fence)) return;
    this.value = value;
    this.writes += 1;
  }

  #takes(fence: bigint): boolean {
    if (fence < this.#largest) {
      this.refusals += 1;
      return false;
    }
    this.#largest = fence;
    return true;
  }
}
