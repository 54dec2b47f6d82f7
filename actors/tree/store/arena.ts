/**
 * The names and the data of znodes, outside of the heap. An entry has a header of two words, the name in UTF-8 and the data:
 *
 *   owner 4 | length of the name 20 bits, length of the data + 1 12 bits | name | data | up to the next multiple of 8
 *
 * Entries are written one behind the other into slabs. Data of the same size takes the place of what was there; other data makes a
 * further entry, and the entry before is dead. When less than half of a slab is alive, what is alive moves to the current slab, and
 * the slab is used again: the slabs take at most about twice what is in them, whatever clients write. An entry moves at any write, so
 * its owner is told where it is (`placed`), and its bytes are copied before anyone else sees them. Data that is too large for an entry
 * is a copy of its own, which is never overwritten.
 */
import { assert } from "../../../protocol/assert.ts";
import type { Copies } from "./copies.ts";

const SLAB_SHIFT = 16;
/** The most bytes of a slab that entries share. */
export const SLAB_BYTES: number = 1 << SLAB_SHIFT;
const UNIT_SHIFT = 3;
const SLAB_UNIT_SHIFT: number = SLAB_SHIFT - UNIT_SHIFT;
const SLAB_UNIT_MASK: number = (1 << SLAB_UNIT_SHIFT) - 1;
const HEADER_BYTES = 8;
const NAME_BITS = 20;
const NAME_MASK: number = (1 << NAME_BITS) - 1;
/** The largest data in an entry. */
export const ENTRY_DATA_BYTES_MAX = 2048;
/** In place of the length + 1 of the data: the data is not in the entry. */
const DATA_ELSEWHERE = 0xfff;
/** An entry that is larger than this share of a slab, because of its name, has a slab of its own. */
const SHARED_BYTES_FRACTION = 8;
/** Empty slabs that are kept for reuse. Others go to the garbage collector. */
const SPARE_SLABS_MAX = 16;
const NOBODY = 0;
/** A number of a slab is the upper part of an address. */
const SLABS_MAX: number = 2 ** (32 - SLAB_UNIT_SHIFT);
/** The most that the arena can hold, dead entries included. */
export const ARENA_BYTES_MAX: number = SLABS_MAX * SLAB_BYTES;

/** Where an entry lies: its slab's number, and its place in the slab in units of eight bytes. */
export type Address = number;

type Slab = {
  number: number;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  used: number;
  live: number;
  /** Whether the slab waits to be emptied. */
  isSparse: boolean;
};

export class Arena {
  readonly #placed: (owner: number, address: Address) => void;
  readonly #bytesOfSlab: number;
  /** By number. A slab that is not in use is undefined. */
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #spare: Slab[] = [];
  /** Slabs of which little is alive. They are emptied at the end of a change. */
  readonly #sparse: Slab[] = [];
  readonly #elsewhere = new Map<number, Uint8Array>();
  #current: Slab;
  #entryBytes = 0;
  #elsewhereBytes = 0;
  #slabBytes = 0;

  /**
   * `placed` is called with the owner of an entry and where it lies, when it is made and whenever it has moved. `bytes` is the size of a
   * slab, `SLAB_BYTES` at most.
   */
  constructor(bytes: number, placed: (owner: number, address: Address) => void) {
    this.#placed = placed;
    this.#bytesOfSlab = bytes;
    this.#current = this.#addSlab(bytes);
  }

  /** The bytes of all entries and all data, without what is dead. It depends only on what is held. */
  get bytes(): number {
    return this.#entryBytes + this.#elsewhereBytes;
  }

  /** The bytes that the slabs take. */
  get slabBytes(): number {
    return this.#slabBytes;
  }

  /** How many owners have data that is too large for an entry. */
  get elsewhere(): number {
    return this.#elsewhere.size;
  }

  /** Adds an entry. The name is what `bytes` begins with. */
  add(owner: number, bytes: Uint8Array, length: number, data: Uint8Array | null): void {
    assert(owner !== NOBODY, "an entry has an owner");
    assert(length <= NAME_MASK, "a name is shorter than a packet");
    const lengths = this.#lengthsWith(owner, length, data);
    const size = entryBytesOf(lengths);
    const slab = this.#reserve(owner, size, lengths);
    const at = slab.used - size + HEADER_BYTES;
    for (let index = 0; index < length; index += 1) {
      slab.bytes[at + index] = bytes[index] as number;
    }
    if (inEntryOf(lengths >>> NAME_BITS) > 0) slab.bytes.set(data as Uint8Array, at + length);
    this.#emptySparse();
  }

  /** Replaces the data of the owner, whose entry is at the address, by a copy of `data`. */
  put(owner: number, address: Address, data: Uint8Array | null): void {
    const before = this.#lengths(address);
    const name = before & NAME_MASK;
    const lengthBefore = before >>> NAME_BITS;
    if (lengthBefore === DATA_ELSEWHERE) this.#dropElsewhere(owner);
    const lengths = this.#lengthsWith(owner, name, data);
    const inEntry = inEntryOf(lengths >>> NAME_BITS);
    let slab = this.#slabAt(address);
    let place = placeOf(address);
    const bytes = entryBytes(name, inEntry);
    if (bytes === entryBytes(name, inEntryOf(lengthBefore))) {
      slab.words[(place >> 2) + 1] = lengths;
    } else {
      const former = slab;
      const start = place + HEADER_BYTES;
      slab = this.#reserve(owner, bytes, lengths);
      place = slab.used - bytes;
      former.bytes.copy(slab.bytes, place + HEADER_BYTES, start, start + name);
      this.#kill(address);
    }
    if (inEntry > 0) slab.bytes.set(data as Uint8Array, place + HEADER_BYTES + name);
    this.#emptySparse();
  }

  /** Removes the entry and the data. */
  remove(owner: number, address: Address): void {
    if (this.#lengths(address) >>> NAME_BITS === DATA_ELSEWHERE) this.#dropElsewhere(owner);
    this.#kill(address);
    this.#emptySparse();
  }

  dataLength(owner: number, address: Address): number {
    const length = this.#lengths(address) >>> NAME_BITS;
    if (length !== DATA_ELSEWHERE) return inEntryOf(length);
    return this.#elsewhere.get(owner)?.length ?? 0;
  }

  /** The part of `bytes` that comes free with the entry. */
  bytesOf(owner: number, address: Address): number {
    const lengths = this.#lengths(address);
    const elsewhere =
      lengths >>> NAME_BITS === DATA_ELSEWHERE ? this.dataLength(owner, address) : 0;
    return entryBytesOf(lengths) + elsewhere;
  }

  /** The data. What is in an entry is copied to `copies`. */
  data(owner: number, address: Address, copies: Copies): Uint8Array | null {
    const lengths = this.#lengths(address);
    const length = lengths >>> NAME_BITS;
    if (length === 0) return null;
    if (length === DATA_ELSEWHERE) return this.#elsewhere.get(owner) ?? null;
    const start = placeOf(address) + HEADER_BYTES + (lengths & NAME_MASK);
    return copies.take(this.#slabAt(address).bytes, start, start + length - 1);
  }

  /** Whether the name of the entry is what `bytes` has from `start` to `end`. */
  hasName(address: Address, bytes: Uint8Array, start: number, end: number): boolean {
    const slab = this.#slabAt(address);
    const place = placeOf(address);
    const length = (slab.words[(place >> 2) + 1] as number) & NAME_MASK;
    if (length !== end - start) return false;
    const at = place + HEADER_BYTES - start;
    for (let index = start; index < end; index += 1) {
      if (slab.bytes[at + index] !== bytes[index]) return false;
    }
    return true;
  }

  name(address: Address): string {
    const { bytes } = this.#slabAt(address);
    const start = placeOf(address) + HEADER_BYTES;
    const end = start + (this.#lengths(address) & NAME_MASK);
    for (let index = start; index < end; index += 1) {
      if ((bytes[index] as number) >= 0x80) return bytes.toString("utf8", start, end);
    }
    return bytes.toString("latin1", start, end);
  }

  /** The second word of the header of an entry with this data, which is kept elsewhere if it is large. */
  #lengthsWith(owner: number, name: number, data: Uint8Array | null): number {
    if (data === null) return name;
    if (data.length <= ENTRY_DATA_BYTES_MAX) return ((data.length + 1) << NAME_BITS) | name;
    this.#keepElsewhere(owner, data);
    return (DATA_ELSEWHERE << NAME_BITS) | name;
  }

  #slabAt(address: Address): Slab {
    return this.#slabs[address >>> SLAB_UNIT_SHIFT] as Slab;
  }

  /** The second word of the header. */
  #lengths(address: Address): number {
    return this.#slabAt(address).words[(placeOf(address) >> 2) + 1] as number;
  }

  /** Begins an entry at the end of the slab that is returned. The caller writes its name and its data. */
  #reserve(owner: number, bytes: number, lengths: number): Slab {
    const isShared = bytes * SHARED_BYTES_FRACTION <= this.#bytesOfSlab;
    const slab = isShared ? this.#slabFor(bytes) : this.#addSlab(bytes);
    const place = slab.used;
    slab.words[place >> 2] = owner;
    slab.words[(place >> 2) + 1] = lengths;
    slab.used += bytes;
    slab.live += bytes;
    this.#entryBytes += bytes;
    this.#placed(owner, ((slab.number << SLAB_UNIT_SHIFT) | (place >> UNIT_SHIFT)) >>> 0);
    return slab;
  }

  #slabFor(bytes: number): Slab {
    const slab = this.#current;
    if (slab.used + bytes <= this.#bytesOfSlab) return slab;
    this.#current = this.#addSlab(this.#bytesOfSlab);
    this.#noteIfSparse(slab);
    return this.#current;
  }

  #kill(address: Address): void {
    const slab = this.#slabAt(address);
    const at = placeOf(address) >> 2;
    const bytes = entryBytesOf(slab.words[at + 1] as number);
    slab.words[at] = NOBODY;
    slab.live -= bytes;
    this.#entryBytes -= bytes;
    assert(slab.live >= 0, "a slab holds no less than nothing");
    this.#noteIfSparse(slab);
  }

  #noteIfSparse(slab: Slab): void {
    if (slab === this.#current || slab.live * 2 >= slab.used || slab.isSparse) return;
    slab.isSparse = true;
    this.#sparse.push(slab);
  }

  /** Moves what is alive in sparse slabs to the current one. That takes less than what has died in them, so a write pays for little. */
  #emptySparse(): void {
    for (let slab = this.#sparse.pop(); slab !== undefined; slab = this.#sparse.pop()) {
      this.#empty(slab);
    }
  }

  #empty(slab: Slab): void {
    for (let place = 0; place < slab.used && slab.live > 0; ) {
      const owner = slab.words[place >> 2] as number;
      const lengths = slab.words[(place >> 2) + 1] as number;
      const bytes = entryBytesOf(lengths);
      if (owner !== NOBODY) {
        const to = this.#reserve(owner, bytes, lengths);
        slab.bytes.copy(
          to.bytes,
          to.used - bytes + HEADER_BYTES,
          place + HEADER_BYTES,
          place + bytes,
        );
        slab.live -= bytes;
        this.#entryBytes -= bytes;
      }
      place += bytes;
    }
    this.#dropSlab(slab);
  }

  #addSlab(bytes: number): Slab {
    const number = this.#freeNumbers.pop() ?? this.#slabs.length;
    assert(number < SLABS_MAX, "a tree is full before its slabs have no more numbers");
    const slab = (bytes === this.#bytesOfSlab ? this.#spare.pop() : undefined) ?? createSlab(bytes);
    slab.number = number;
    slab.used = 0;
    slab.live = 0;
    slab.isSparse = false;
    this.#slabs[number] = slab;
    this.#slabBytes += slab.bytes.length;
    return slab;
  }

  #dropSlab(slab: Slab): void {
    this.#slabs[slab.number] = undefined;
    this.#freeNumbers.push(slab.number);
    this.#slabBytes -= slab.bytes.length;
    if (slab.bytes.length !== this.#bytesOfSlab) return;
    if (this.#spare.length < SPARE_SLABS_MAX) this.#spare.push(slab);
  }

  #keepElsewhere(owner: number, data: Uint8Array): void {
    // The bytes are copied without slice(), since slice() of a Node.js Buffer is a view.
    const copy = new Uint8Array(data.length);
    copy.set(data);
    this.#elsewhere.set(owner, copy);
    this.#elsewhereBytes += copy.length;
  }

  #dropElsewhere(owner: number): void {
    this.#elsewhereBytes -= this.#elsewhere.get(owner)?.length ?? 0;
    this.#elsewhere.delete(owner);
  }
}

function createSlab(bytes: number): Slab {
  // V8 does not count shared memory, as it does not that of rows.
  const memory = new SharedArrayBuffer(bytes);
  const words = new Uint32Array(memory);
  return { number: 0, bytes: Buffer.from(memory), words, used: 0, live: 0, isSparse: false };
}

function placeOf(address: Address): number {
  return (address & SLAB_UNIT_MASK) << UNIT_SHIFT;
}

/** How many bytes of data an entry has whose header says this length. */
function inEntryOf(length: number): number {
  return length === 0 || length === DATA_ELSEWHERE ? 0 : length - 1;
}

/** The bytes that an entry takes. */
export function entryBytes(name: number, data: number): number {
  return (HEADER_BYTES + name + data + 7) & ~7;
}

function entryBytesOf(lengths: number): number {
  return entryBytes(lengths & NAME_MASK, inEntryOf(lengths >>> NAME_BITS));
}
