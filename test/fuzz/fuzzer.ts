/**
 * Fuzzes one target in this thread: changes inputs, runs them, keeps those that do something new. New is a kind of behaviour
 * that the target names, or a block of zooid's code that has not run before. All chance comes from the seed.
 */
import { Random } from "../sim/random.ts";
import type { Coverage } from "./coverage.ts";
import { leastCpuMs } from "./cpu-time.ts";
import { minimise } from "./minimise.ts";
import { mutate } from "./mutate.ts";
import type { Target } from "./target.ts";

export type Failure = {
  readonly target: string;
  readonly seed: number;
  /** Two failures of one kind have equal ones. */
  readonly signature: string;
  readonly reason: string;
  readonly input: Uint8Array;
};

export type FuzzerOptions = {
  readonly target: Target;
  readonly seed: number;
  readonly coverage: Coverage;
  /** Told of each input before it runs: one that never ends is known then. */
  readonly onInput: (bytes: Uint8Array) => void;
  readonly onFailure: (failure: Failure) => void;
  /**
   * The CPU time, in milliseconds, that an input takes which is too slow in this thread. Default: what it took here. Where coverage
   * is counted, code runs slower than a node's, and ever slower the longer the thread has run.
   */
  readonly measureApart?: (target: Target, input: Uint8Array) => number;
};

/** Inputs between two looks at the coverage. */
const CHUNK_INPUTS = 256;
/** Beyond either, what is kept takes another's place. */
const CORPUS_MAX = 4096;
/** Only a few inputs above this size are kept, because they are slow. */
const LARGE_BYTES = 4096;
const LARGE_MAX = 64;
const CORPUS_BYTES_MAX: number = 8 * 1024 * 1024;
const CPU_MS_MIN = 25;
const CPU_MS_PER_MEGABYTE = 100;
const SLOW = "slow";
/** An input that was too slow here and not apart from here is no reason to measure others that are hardly slower. */
const SUSPECT_GROWTH = 1.25;
/** Each takes its time. */
const SLOW_TRIES_MAX = 12;

export class Fuzzer {
  readonly #options: FuzzerOptions;
  readonly #random: Random;
  readonly #corpus: Uint8Array[] = [];
  readonly #behaviours = new Set<string>();
  readonly #signatures = new Set<string>();
  #large = 0;
  inputs = 0;
  bytes = 0;
  cpuMsMax = 0;
  corpusBytes = 0;
  /** How often the allowed time the slowest one took that was measured apart. */
  #suspected = 1 / SUSPECT_GROWTH;

  constructor(options: FuzzerOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    const seeds = options.target.seeds();
    // Whatever they do: everything begins with them.
    this.#corpus.push(...seeds);
    for (const bytes of seeds) this.#try(bytes);
  }

  get behaviours(): number {
    return this.#behaviours.size;
  }

  get corpus(): readonly Uint8Array[] {
    return this.#corpus;
  }

  /** Runs about so many milliseconds, or so many inputs. */
  run(limits: { readonly ms: number; readonly inputs: number }): void {
    const { coverage } = this.#options;
    const endMs = performance.now() + limits.ms;
    const endInputs = this.inputs + limits.inputs;
    coverage.isNew(true);
    while (performance.now() < endMs && this.inputs < endInputs) {
      const chunk: Uint8Array[] = [];
      const chunkEndMs = performance.now() + limits.ms / 4;
      while (chunk.length < CHUNK_INPUTS && this.inputs < endInputs) {
        const input = this.#next();
        chunk.push(input);
        this.#try(input);
        if (performance.now() > chunkEndMs) break;
      }
      if (coverage.isNew(false)) this.#keepNew(chunk);
    }
  }

  /** Runs one input as often as is asked, without judging its time. */
  repeat(input: Uint8Array, times: number): void {
    const { target, onInput } = this.#options;
    for (let count = 0; count < times; count += 1) {
      onInput(input);
      target.run(input);
    }
  }

  #next(): Uint8Array {
    const random = this.#random;
    const { target } = this.#options;
    const other = this.#pick();
    const bytes = this.#smaller(this.#pick(), other);
    const { tokens, bytesMax } = target;
    const varied =
      target.vary !== undefined && random.chance(0.5) ? target.vary(bytes, random) : bytes;
    if (varied !== bytes && random.chance(0.7)) return varied;
    return mutate(varied, random, { tokens, other, bytesMax });
  }

  #pick(): Uint8Array {
    const newest = this.#random.chance(0.3) ? Math.max(0, this.#corpus.length - 32) : 0;
    return this.#corpus[this.#random.whole(newest, this.#corpus.length - 1)] ?? new Uint8Array(0);
  }

  /** Mostly: small inputs are quick, and a change of one matters. */
  #smaller(one: Uint8Array, other: Uint8Array): Uint8Array {
    return other.length < one.length && this.#random.chance(0.8) ? other : one;
  }

  #try(input: Uint8Array): void {
    this.inputs += 1;
    this.bytes += input.length;
    const startMs = performance.now();
    const behaviour = this.#judge(input);
    const tookMs = performance.now() - startMs;
    if (behaviour !== undefined && !this.#behaviours.has(behaviour)) {
      this.#behaviours.add(behaviour);
      this.#keep(input);
    }
    if (tookMs > CPU_MS_MIN / 2 && !this.#signatures.has(SLOW)) this.#measure(input);
  }

  /** A machine that is busy with other things makes nothing slow: what counts is the thread's own time, at its best. */
  #measure(input: Uint8Array): void {
    const { target, measureApart } = this.#options;
    const max = cpuMsMax(target, input.length);
    const here = leastCpuMs(() => this.#judge(input), max);
    if (measureApart === undefined || here <= max) {
      this.#judgeTime(input, here, (bytes) =>
        leastCpuMs(() => this.#judge(bytes), cpuMsMax(target, bytes.length)),
      );
      return;
    }
    if (here / max < this.#suspected * SUSPECT_GROWTH) return;
    this.#suspected = here / max;
    this.#judgeTime(input, measureApart(target, input), (bytes) => measureApart(target, bytes));
  }

  #judgeTime(input: Uint8Array, took: number, measure: (bytes: Uint8Array) => number): void {
    const { target } = this.#options;
    const max = cpuMsMax(target, input.length);
    if (took > this.cpuMsMax) this.cpuMsMax = took;
    if (took <= max) return;
    const isSlow = (bytes: Uint8Array): boolean => measure(bytes) > cpuMsMax(target, bytes.length);
    const reason = `${input.length} bytes took ${Math.round(took)} ms of CPU time, at most ${Math.round(max)} are allowed`;
    this.#fail(SLOW, reason, input, isSlow, SLOW_TRIES_MAX);
  }

  /** The kind of behaviour; undefined when it fails. */
  #judge(input: Uint8Array): string | undefined {
    this.#options.onInput(input);
    try {
      return this.#options.target.run(input);
    } catch (error) {
      const signature = signatureOf(error);
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#fail(signature, reason, input, (bytes) => this.#failsWith(signature, bytes));
      return undefined;
    }
  }

  #failsWith(signature: string, input: Uint8Array): boolean {
    try {
      this.#options.target.run(input);
      return false;
    } catch (error) {
      return signatureOf(error) === signature;
    }
  }

  #fail(
    signature: string,
    reason: string,
    input: Uint8Array,
    stillFails: (bytes: Uint8Array) => boolean,
    triesMax?: number,
  ): void {
    if (this.#signatures.has(signature)) return;
    this.#signatures.add(signature);
    const { target, seed, onFailure } = this.#options;
    const smallest = minimise(input, stillFails, triesMax);
    onFailure({ target: target.name, seed, signature, reason, input: smallest });
  }

  /** Finds the inputs that are responsible for what is new, by halves. */
  #keepNew(inputs: readonly Uint8Array[]): void {
    const { coverage } = this.#options;
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined) {
      coverage.isNew(true);
      this.#keep(only);
      return;
    }
    const middle = inputs.length >> 1;
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      coverage.isNew(false);
      for (const input of half) this.#judge(input);
      if (half.length === 1 ? coverage.isNew(true) : coverage.isNew(false)) {
        if (half.length === 1) this.#keep(half[0] as Uint8Array);
        else this.#keepNew(half);
      }
    }
  }

  #keep(input: Uint8Array): void {
    const kept = input.slice();
    if (kept.length > LARGE_BYTES && ++this.#large > LARGE_MAX) return;
    if (this.#corpus.length < CORPUS_MAX && this.corpusBytes < CORPUS_BYTES_MAX) {
      this.corpusBytes += kept.length;
      this.#corpus.push(kept);
      return;
    }
    const at = this.#random.below(this.#corpus.length);
    this.corpusBytes += kept.length - (this.#corpus[at]?.length ?? 0);
    this.#corpus[at] = kept;
  }
}

function cpuMsMax(target: Target, bytes: number): number {
  return (target.cpuMsMin ?? CPU_MS_MIN) + (bytes / 2 ** 20) * CPU_MS_PER_MEGABYTE;
}

/** What it is and where, without numbers. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = /^ +at (?:new )?([\w#.]+)/m.exec(error.stack ?? "")?.[1] ?? "";
  return `${error.name} ${error.message.replaceAll(/\d+/g, "N").slice(0, 120)} ${where}`;
}
