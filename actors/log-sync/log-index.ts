/** Which records the log holds: the lastZxid of each, ascending. Zxid 0 stands for the log's beginning. */
import { assert } from "../../protocol/assert.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export class LogIndex {
  readonly #lastZxids: Zxid[];

  constructor(lastZxids: readonly Zxid[]) {
    this.#lastZxids = [...lastZxids];
  }

  get tail(): Zxid {
    return this.#lastZxids.at(-1) ?? ZXID_NONE;
  }

  push(lastZxid: Zxid): void {
    assert(lastZxid > this.tail, "records enter the log in zxid order");
    this.#lastZxids.push(lastZxid);
  }

  /** Whether a record ends at this zxid (or it is the beginning). */
  holds(zxid: Zxid): boolean {
    return this.floor(zxid) === zxid;
  }

  /** The last record's end that is not after `zxid`. */
  floor(zxid: Zxid): Zxid {
    const index = this.#after(zxid);
    return index === 0 ? ZXID_NONE : (this.#lastZxids[index - 1] ?? ZXID_NONE);
  }

  /** The end of the first record after `zxid`. */
  next(zxid: Zxid): Zxid | undefined {
    return this.#lastZxids[this.#after(zxid)];
  }

  truncateAfter(zxid: Zxid): void {
    assert(this.holds(zxid), "a log is cut at the end of a record");
    this.#lastZxids.length = this.#after(zxid);
  }

  /** Index of the first record that ends after `zxid`. The end of the log is the usual answer, so it is tried first. */
  #after(zxid: Zxid): number {
    let low = 0;
    let high = this.#lastZxids.length;
    if (this.tail <= zxid) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lastZxids[middle] ?? 0) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
