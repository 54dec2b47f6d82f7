/**
 * Where each durable record of the log lies: typed arrays, 16 bytes a record, so that a read is one direct seek. Records are
 * numbered from the first one of this life's start; the numbers stay when the oldest are purged.
 */
import { assert } from "../../../protocol/assert.ts";
import { type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";

export class RecordIndex {
  #first = 0;
  #count = 0;
  #base: Zxid = ZXID_NONE;
  #lastZxids = new Float64Array(1024);
  #offsets = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);

  /** The number after the last record's. */
  get count(): number {
    return this.#count;
  }

  /** The log begins after this zxid. */
  get base(): Zxid {
    return this.#base;
  }

  /** The log's end. */
  get lastZxid(): Zxid {
    return this.#count === this.#first ? this.#base : this.lastZxidOf(this.#count - 1);
  }

  push(lastZxid: Zxid, offset: number, length: number): void {
    assert(lastZxid > this.lastZxid, "zxids grow along the log");
    const at = this.#count - this.#first;
    if (at === this.#offsets.length) this.#grow(at);
    this.#lastZxids[at] = lastZxid;
    this.#offsets[at] = offset;
    this.#lengths[at] = length;
    this.#count += 1;
  }

  /** Keeps the records before number `count`. */
  truncate(count: number): void {
    assert(count <= this.#count, "a truncation does not lengthen the log");
    assert(count >= this.#first, "a truncation does not reach below the base");
    this.#count = count;
  }

  /** Forgets the records before number `first`. */
  purge(first: number): void {
    assert(first <= this.#count, "only records that are there are purged");
    if (first <= this.#first) return;
    this.#base = this.lastZxidOf(first - 1);
    const from = first - this.#first;
    const to = this.#count - this.#first;
    this.#lastZxids.copyWithin(0, from, to);
    this.#offsets.copyWithin(0, from, to);
    this.#lengths.copyWithin(0, from, to);
    this.#first = first;
  }

  /** An empty log that begins after `base`. */
  restart(base: Zxid): void {
    this.#first = 0;
    this.#count = 0;
    this.#base = base;
  }

  /** The number of the first record that ends after `zxid`. */
  countUpTo(zxid: Zxid): number {
    let low = this.#first;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lastZxidOf(middle) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a record ends there, or the log begins there. */
  holds(zxid: Zxid): boolean {
    const after = this.countUpTo(zxid);
    return zxid === (after === this.#first ? this.#base : this.lastZxidOf(after - 1));
  }

  lastZxidOf(record: number): Zxid {
    return at(this.#lastZxids, record - this.#first) as Zxid;
  }

  /** Of the record's first byte in its segment. */
  offsetOf(record: number): number {
    return at(this.#offsets, record - this.#first);
  }

  endOf(record: number): number {
    return at(this.#offsets, record - this.#first) + at(this.#lengths, record - this.#first);
  }

  /** Of the records from number `from` on. */
  bytesFrom(from: number): number {
    let bytes = 0;
    for (let record = from; record < this.#count; record += 1) {
      bytes += at(this.#lengths, record - this.#first);
    }
    return bytes;
  }

  lastZxids(): Zxid[] {
    return Array.from(this.#lastZxids.subarray(0, this.#count - this.#first)) as Zxid[];
  }

  #grow(used: number): void {
    const capacity = used * 2;
    const lastZxids = new Float64Array(capacity);
    const offsets = new Uint32Array(capacity);
    const lengths = new Uint32Array(capacity);
    lastZxids.set(this.#lastZxids);
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    this.#lastZxids = lastZxids;
    this.#offsets = offsets;
    this.#lengths = lengths;
  }
}

function at(values: Float64Array | Uint32Array, position: number): number {
  const value = values[position];
  assert(value !== undefined, "a record's number lies within the index");
  return value;
}
