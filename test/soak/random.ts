/** Chance from a seed: the same seed draws the same faults and the same mix of operations. */

export type Random = {
  /** From 0 up to, not including, 1. */
  readonly next: () => number;
  /** A whole number from `min` to `max`, both included. */
  readonly integer: (min: number, max: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(from: readonly T[]) => T;
  readonly shuffled: <T>(of: readonly T[]) => T[];
  /** Another source, which what is drawn from this one does not disturb. */
  readonly fork: () => Random;
};

/** The generator is mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <T>(from: readonly T[]): T => {
      if (from.length === 0) throw new RangeError("nothing to pick from");
      return from[integer(0, from.length - 1)] as T;
    },
    shuffled: <T>(of: readonly T[]): T[] => {
      const list = [...of];
      for (let last = list.length - 1; last > 0; last -= 1) {
        const other = integer(0, last);
        [list[last], list[other]] = [list[other] as T, list[last] as T];
      }
      return list;
    },
    fork: () => randomOf(Math.floor(next() * 2 ** 32)),
  };
}
