/**
 * How many client connections a node has, in all and of each address, counted exactly over the listeners of all its threads. The
 * counts lie in memory that the threads share; a lock guards them for as long as one is changed.
 */
import { hash } from "node:crypto";

export type ConnectionLimits = {
  /** Connections in all. */
  readonly connectionsMax: number;
  /** Connections of one address; 0 is no limit. */
  readonly perAddressMax: number;
};

/** What each thread is given. */
export type SharedCounts = { readonly memory: SharedArrayBuffer };

/** `tooMany`: there are as many of all addresses together as are allowed. */
export type Admission = "admitted" | "tooMany" | "tooManyOfAddress";

const LOCK = 0;
const TOTAL = 1;
const TOTAL_MAX = 2;
const PER_ADDRESS_MAX = 3;
const HEAD = 4;
/** The words of a slot: a count, and 16 bytes that stand for the address. A slot whose count is 0 is free. */
const SLOT = 5;
/** How long a thread sleeps that finds another one counting. */
const WAIT_MS = 1;

export class ConnectionCounts {
  readonly #numbers: Int32Array;
  readonly #slots: number;

  /** Makes the memory that all threads of one node share, for at most `connectionsMax` connections. */
  static share({ connectionsMax, perAddressMax }: ConnectionLimits): SharedCounts {
    // The table is at most half full, so that a free slot is found after a few steps.
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * connectionsMax)));
    const memory = new SharedArrayBuffer((HEAD + slots * SLOT) * 4);
    const numbers = new Int32Array(memory);
    numbers[TOTAL_MAX] = connectionsMax;
    numbers[PER_ADDRESS_MAX] = perAddressMax;
    return { memory };
  }

  constructor({ memory }: SharedCounts) {
    this.#numbers = new Int32Array(memory);
    this.#slots = (this.#numbers.length - HEAD) / SLOT;
  }

  /** Connections now. */
  get total(): number {
    return Atomics.load(this.#numbers, TOTAL);
  }

  get connectionsMax(): number {
    return Atomics.load(this.#numbers, TOTAL_MAX);
  }

  get perAddressMax(): number {
    return this.#numbers[PER_ADDRESS_MAX] ?? 0;
  }

  /** Never more than there is memory for. Connections that are there stay. */
  limit(connectionsMax: number): void {
    const most = Math.floor(this.#slots / 2);
    Atomics.store(this.#numbers, TOTAL_MAX, Math.min(most, Math.max(0, connectionsMax)));
  }

  /** Counts a connection, if it is within the limits. One that is admitted must be released. */
  admit(address: string): Admission {
    const key = keyOf(address);
    return this.#locked(() => {
      const numbers = this.#numbers;
      const total = numbers[TOTAL] ?? 0;
      if (total >= this.connectionsMax) return "tooMany";
      const slot = this.#find(key);
      const count = numbers[slot] ?? 0;
      const max = this.perAddressMax;
      if (max > 0 && count >= max) return "tooManyOfAddress";
      numbers[slot] = count + 1;
      numbers.set(key, slot + 1);
      numbers[TOTAL] = total + 1;
      return "admitted";
    });
  }

  release(address: string): void {
    const key = keyOf(address);
    this.#locked(() => {
      const numbers = this.#numbers;
      const slot = this.#find(key);
      const count = numbers[slot] ?? 0;
      if (count === 0) return;
      numbers[TOTAL] = (numbers[TOTAL] ?? 0) - 1;
      numbers[slot] = count - 1;
      if (count === 1) this.#close(slot);
    });
  }

  /** The slot of the address, or the free one where it belongs. */
  #find(key: Int32Array): number {
    for (let index = this.#home(key[0] ?? 0); ; index = this.#next(index)) {
      const slot = HEAD + index * SLOT;
      if (this.#numbers[slot] === 0 || this.#holds(slot, key)) return slot;
    }
  }

  #holds(slot: number, key: Int32Array): boolean {
    for (let index = 0; index < key.length; index += 1) {
      if (this.#numbers[slot + 1 + index] !== key[index]) return false;
    }
    return true;
  }

  /** A free slot ends a search, so those behind it that belong before it move up (Knuth, volume 3, algorithm 6.4R). */
  #close(freed: number): void {
    const numbers = this.#numbers;
    let hole = (freed - HEAD) / SLOT;
    for (let index = this.#next(hole); ; index = this.#next(index)) {
      const slot = HEAD + index * SLOT;
      if (numbers[slot] === 0) return;
      const home = this.#home(numbers[slot + 1] ?? 0);
      const fromHome = (index - home + this.#slots) % this.#slots;
      const fromHole = (index - hole + this.#slots) % this.#slots;
      if (fromHome < fromHole) continue;
      numbers.copyWithin(HEAD + hole * SLOT, slot, slot + SLOT);
      numbers[slot] = 0;
      hole = index;
    }
  }

  #home(first: number): number {
    return (first >>> 0) % this.#slots;
  }

  #next(index: number): number {
    return (index + 1) % this.#slots;
  }

  #locked<Result>(change: () => Result): Result {
    while (Atomics.compareExchange(this.#numbers, LOCK, 0, 1) !== 0) {
      Atomics.wait(this.#numbers, LOCK, 1, WAIT_MS);
    }
    try {
      return change();
    } finally {
      Atomics.store(this.#numbers, LOCK, 0);
      Atomics.notify(this.#numbers, LOCK, 1);
    }
  }
}

/** The key of an address. Two addresses practically never have the same. */
function keyOf(address: string): Int32Array {
  const bytes = hash("sha256", address, "buffer");
  const key = new Int32Array(4);
  for (let index = 0; index < 4; index += 1) key[index] = bytes.readInt32LE(index * 4);
  return key;
}
