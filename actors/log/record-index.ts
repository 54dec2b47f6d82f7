/** Where each durable record of the log lies: typed arrays, 16 bytes a record, so that a read is one direct seek. */
import { assert } from "../../protocol/assert.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export class RecordIndex {
  #count = 0;
  #lastZxids = new Float64Array(1024);
  #offsets = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);

  get count(): number {
    return this.#count;
  }

  /** The log's end. */
  get lastZxid(): Zxid {
    return this.#count === 0 ? ZXID_NONE : this.lastZxidOf(this.#count - 1);
  }

  push(lastZxid: Zxid, offset: number, length: number): void {
    assert(lastZxid > this.lastZxid, "zxids grow along the log");
    if (this.#count === this.#offsets.length) this.#grow();
    this.#lastZxids[this.#count] = lastZxid;
    this.#offsets[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#count += 1;
  }

  /** Keeps the first `count` records. */
  truncate(count: number): void {
    assert(count <= this.#count, "a truncation does not lengthen the log");
    this.#count = count;
  }

  /** How many records end at or before `zxid`: the number of the first one after it. */
  countUpTo(zxid: Zxid): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lastZxidOf(middle) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  lastZxidOf(record: number): Zxid {
    return at(this.#lastZxids, record) as Zxid;
  }

  /** Of the record's first byte in its segment. */
  offsetOf(record: number): number {
    return at(this.#offsets, record);
  }

  endOf(record: number): number {
    return at(this.#offsets, record) + at(this.#lengths, record);
  }

  lastZxids(): Zxid[] {
    return Array.from(this.#lastZxids.subarray(0, this.#count)) as Zxid[];
  }

  #grow(): void {
    const capacity = this.#count * 2;
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

function at(values: Float64Array | Uint32Array, record: number): number {
  const value = values[record];
  assert(value !== undefined, "a record's number lies within the index");
  return value;
}
