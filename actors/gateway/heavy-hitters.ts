/**
 * Counts for the keys that come most often, in bounded memory. Each time there are too many keys, the rarest are forgotten. So a key that
 * is kept may have been counted too low, by at most the number of all counts divided by the number of keys that are forgotten at a time.
 * Source: lossy counting (Manku and Motwani, 2002), cut by rank instead of by epoch.
 */

import type { Hitter } from "../admin/messages.ts";

const KEYS_MAX = 512;
const KEYS_KEPT = 128;

type Counts = { reads: number; writes: number };

export class HeavyHitters<Key> {
  readonly #counts = new Map<Key, Counts>();
  readonly #own: (key: Key) => Key;

  /** `own` makes a key that holds on to nothing else; it is called for keys that are new. */
  constructor(own: (key: Key) => Key) {
    this.#own = own;
  }

  /** How many keys are kept now. */
  get size(): number {
    return this.#counts.size;
  }

  add(key: Key, reads: number, writes: number): void {
    const counts = this.#counts.get(key);
    if (counts !== undefined) {
      counts.reads += reads;
      counts.writes += writes;
      return;
    }
    if (this.#counts.size === KEYS_MAX) this.#forgetRarest();
    this.#counts.set(this.#own(key), { reads, writes });
  }

  /** The first are those that came most often. */
  top(count: number): readonly Hitter<Key>[] {
    return this.#ranked()
      .slice(0, count)
      .map(([key, { reads, writes }]) => ({ key, reads, writes }));
  }

  #ranked(): [Key, Counts][] {
    return [...this.#counts].sort(([, a], [, b]) => b.reads + b.writes - a.reads - a.writes);
  }

  #forgetRarest(): void {
    for (const [key] of this.#ranked().slice(KEYS_KEPT)) this.#counts.delete(key);
  }
}
