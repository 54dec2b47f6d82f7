/** Some of many alike are looked at, at a distance that differs from one to the next, so that no rhythm of a client hides anything. */

export type Sampling = {
  /** One in about so many is looked at, for which it counts that often. */
  every: number;
  seed: number;
};

/**
 * From 1 to twice as far as the mean. A linear congruential generator: actors have no chance of their own, and need none here. Source: the
 * C standard's `rand`.
 */
export function nextDistance(sampling: Sampling): number {
  sampling.seed = (Math.imul(sampling.seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return 1 + ((sampling.seed >>> 16) % (2 * sampling.every - 1));
}
