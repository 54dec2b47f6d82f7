/** Chance of a run: streams of numbers from one seed. Each part of a run draws from a stream of its own. */
import type { Randomness } from "../../runtime/clock.ts";
import { SeededRandomness, seedOfStream } from "../../runtime/testing/virtual-clock.ts";

export type Range = { readonly min: number; readonly max: number };

export class Random implements Randomness {
  readonly #source: SeededRandomness;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#source = new SeededRandomness(this.#seed);
  }

  /** Another stream of the same seed. The same number gives the same stream, whatever was drawn before. */
  stream(number: number): Random {
    return new Random(seedOfStream(this.#seed, number));
  }

  random(): number {
    return this.#source.random();
  }

  randomBytes(length: number): Uint8Array {
    return this.#source.randomBytes(length);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.#source.random() < probability;
  }

  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.#source.random() * count);
  }

  between({ min, max }: Range): number {
    return min + this.#source.random() * (max - min);
  }

  /** Whole, both ends included. */
  whole(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Exponential, with this mean. */
  wait(meanMs: number): number {
    return -Math.log(1 - this.#source.random()) * meanMs;
  }

  /** A key by its weight. */
  weighted<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key | undefined {
    const entries = Object.entries(weights) as [Key, number][];
    let left = this.#source.random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries.at(-1)?.[0];
  }
}
