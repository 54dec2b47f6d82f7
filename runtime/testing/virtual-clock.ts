/** Virtual time: events run in order of their time, then of their making, and time jumps from one to the next. */
import type { Clock, Randomness } from "../clock.ts";

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

export class VirtualClock implements Clock {
  readonly #heap: Event[] = [];
  readonly #cancelled = new WeakSet<Event>();
  readonly #wallStartMs: number;
  #order = 0;
  #nowMs = 0;

  /** `wallStartMs`: Unix time at virtual time 0. */
  constructor(wallStartMs: number = 1_700_000_000_000) {
    this.#wallStartMs = wallStartMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + Math.floor(this.#nowMs);
  }

  after(delayMs: number, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    push(this.#heap, event);
    return () => {
      this.#cancelled.add(event);
    };
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  /** When the next event is due; undefined: there is none. */
  get nextAtMs(): number | undefined {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (!this.#cancelled.has(next)) return next.atMs;
      pop(this.#heap);
    }
    return undefined;
  }

  /** Lets time pass up to this moment, before which no event is due. */
  passTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Runs the next event. False: there is none. */
  step(): boolean {
    const event = pop(this.#heap);
    if (event === undefined) return false;
    this.#nowMs = event.atMs;
    if (!this.#cancelled.has(event)) event.run();
    return true;
  }

  /** Runs every event up to now + `ms`, and leaves time there. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (
      let next = this.#heap[0];
      next !== undefined && next.atMs <= untilMs;
      next = this.#heap[0]
    ) {
      this.step();
    }
    this.#nowMs = untilMs;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || isBefore(parent, event)) break;
    heap[index] = parent;
    heap[above] = event;
    index = above;
  }
}

function pop(heap: Event[]): Event | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const right = heap[child + 1];
    let least = heap[child];
    if (least === undefined) break;
    if (right !== undefined && isBefore(right, least)) {
      child += 1;
      least = right;
    }
    if (isBefore(last, least)) break;
    heap[index] = least;
    index = child;
  }
  heap[index] = last;
  return top;
}

/** The seed of another stream of random numbers. The same number gives the same stream, whatever was drawn before. */
export function seedOfStream(seed: number, stream: number): number {
  return (Math.imul(seed ^ 0x5bd1_e995, 0x9e37_79b1) + Math.imul(stream, 0x85eb_ca6b)) >>> 0;
}

/** A seed's random numbers: sfc32, seeded by splitmix32. Not for secrets. */
export class SeededRandomness implements Randomness {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    let mixed = seed >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let value = mixed ^ (mixed >>> 16);
      value = Math.imul(value, 0x21f0aaad);
      value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
      return value ^ (value >>> 15);
    });
    for (let index = 0; index < 12; index += 1) this.random();
  }

  random(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, counter = 0] = s;
    const sum = (a + b + counter) >>> 0;
    s[0] = b ^ (b >>> 9);
    s[1] = c + (c << 3);
    s[2] = ((c << 21) | (c >>> 11)) + sum;
    s[3] = counter + 1;
    return sum / 2 ** 32;
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256));
  }
}
