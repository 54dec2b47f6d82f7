/** Which records the log holds: the ascending list of their last zxids. The log begins after its base, a snapshot's zxid or 0. */
import { assert } from "../../protocol/assert.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export class LogIndex {
  #base: Zxid;
  #lastZxids: Zxid[];

  constructor(lastZxids: readonly Zxid[], base: Zxid = ZXID_NONE) {
    this.#base = base;
    this.#lastZxids = [...lastZxids];
  }

  /** The zxid after which the log begins. What is before it is in snapshots only. */
  get base(): Zxid {
    return this.#base;
  }

  /** The end of the last record, or the base if there is none. */
  get tail(): Zxid {
    return this.#lastZxids.at(-1) ?? this.#base;
  }

  push(lastZxid: Zxid): void {
    assert(lastZxid > this.tail, "records enter the log in zxid order");
    this.#lastZxids.push(lastZxid);
  }

  /** Whether this zxid is the end of a record, or the base. */
  holds(zxid: Zxid): boolean {
    return this.floor(zxid) === zxid;
  }

  /** The end of the last record that does not end after `zxid`. If there is none, the base. */
  floor(zxid: Zxid): Zxid {
    return this.#lastZxids[this.#after(zxid) - 1] ?? this.#base;
  }

  /** The end of the first record that ends after `zxid`. Undefined: there is none. */
  next(zxid: Zxid): Zxid | undefined {
    return this.#lastZxids[this.#after(zxid)];
  }

  truncateAfter(zxid: Zxid): void {
    assert(this.holds(zxid), "a log is cut at the end of a record");
    this.#lastZxids.length = this.#after(zxid);
  }

  /** Forgets the records up to `base`, after which the log begins from now on. */
  purge(base: Zxid): void {
    assert(this.holds(base), "a log begins at the end of a record");
    this.#lastZxids = this.#lastZxids.slice(this.#after(base));
    this.#base = base;
  }

  /** The position of the first record that ends after `zxid`. The end of the log is the usual answer, so it is tried first. */
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
