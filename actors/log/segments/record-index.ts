/**
 * Where each durable record of the log is in its segment. The index consists of typed arrays with 16 bytes for each record, so a read needs
 * no search on disk. Records are numbered from the first one that the log had when the node started, and keep their numbers when the
 * oldest are purged.
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

  /** The number of the next record: one more than that of the last. */
  get count(): number {
    return this.#count;
  }

  /** The zxid after which the log begins. */
  get base(): Zxid {
    return this.#base;
  }

  /** The end of the log. */
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

  /** Forgets the records from number `count` on. */
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

  /** Forgets all records. The log is empty and begins after `base`. */
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

  /** Whether this zxid is the end of a record, or the base. */
  holds(zxid: Zxid): boolean {
    const after = this.countUpTo(zxid);
    return zxid === (after === this.#first ? this.#base : this.lastZxidOf(after - 1));
  }

  lastZxidOf(record: number): Zxid {
    return at(this.#lastZxids, record - this.#first) as Zxid;
  }

  /** The offset of the record's first byte in its segment. */
  offsetOf(record: number): number {
    return at(this.#offsets, record - this.#first);
  }

  /** The offset after the record's last byte in its segment. */
  endOf(record: number): number {
    return at(this.#offsets, record - this.#first) + at(this.#lengths, record - this.#first);
  }

  /** How many bytes the records from number `from` on have. */
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
