/**
 * Counts for the keys that come most often, in bounded memory. Each time there are too many keys, the rarest are forgotten, and the others
 * lose as much as the most frequent of those had. So a key's count is never too high, and too low by at most one in KEYS_KEPT of all
 * that was counted: whatever was more often than that is there. Source: Misra and Gries, 1982, many keys at a time.
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

  add(key: Key, reads: number, writes: number): void {
    const counts = this.#counts.get(key);
    if (counts !== undefined) {
      counts.reads += reads;
      counts.writes += writes;
      return;
    }
    if (this.#counts.size === KEYS_MAX) this.#cut();
    this.#counts.set(this.#own(key), { reads, writes });
  }

  /** The first are those that came most often. */
  top(count: number): readonly Hitter<Key>[] {
    return this.#ranked()
      .slice(0, count)
      .map(([key, { reads, writes }]) => {
        return { key, reads: Math.round(reads), writes: Math.round(writes) };
      });
  }

  #ranked(): [Key, Counts][] {
    return [...this.#counts].sort(([, a], [, b]) => totalOf(b) - totalOf(a));
  }

  #cut(): void {
    const ranked = this.#ranked();
    const first = ranked[KEYS_KEPT];
    const loss = first === undefined ? 0 : totalOf(first[1]);
    for (const [key, counts] of ranked) {
      const part = 1 - loss / totalOf(counts);
      if (part <= 0) {
        this.#counts.delete(key);
      } else {
        counts.reads *= part;
        counts.writes *= part;
      }
    }
  }
}

function totalOf({ reads, writes }: Counts): number {
  return reads + writes;
}
