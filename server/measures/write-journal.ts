/**
 * When records came to which stage, of the last ones that a node has appended to its log: what slow requests are told of. It is written to by the
 * batch, into arrays that are there.
 */
import type { Zxid } from "../../protocol/zxid.ts";

/** Publications that are remembered: those of seconds under load, and a request is told of within milliseconds. */
const REMEMBERED = 1024;

type Journalled = {
  readonly firstZxid: Zxid;
  readonly lastZxid: Zxid;
  /** Whether this node published them. */
  readonly leads: boolean;
  readonly publishedMs: number;
  /** Undefined: that has not happened yet. */
  readonly loggedMs: number | undefined;
  readonly committedMs: number | undefined;
};

export class WriteJournal {
  /** The entry number n is at n modulo REMEMBERED. */
  readonly #firstZxid = new Float64Array(REMEMBERED);
  readonly #lastZxid = new Float64Array(REMEMBERED);
  readonly #leads = new Uint8Array(REMEMBERED);
  readonly #publishedMs = new Float64Array(REMEMBERED);
  readonly #loggedMs = new Float64Array(REMEMBERED);
  readonly #committedMs = new Float64Array(REMEMBERED);
  /** The number of the next entry, and of the first that is not known to be logged, or committed. */
  #next = 0;
  #unlogged = 0;
  #uncommitted = 0;

  /** Records with these zxids go to the node's log, in the place of what it had with these or later ones. */
  published(
    { firstZxid, lastZxid }: Pick<Journalled, "firstZxid" | "lastZxid">,
    leads: boolean,
    atMs: number,
  ): void {
    this.#truncate(firstZxid);
    const at = this.#next % REMEMBERED;
    this.#firstZxid[at] = firstZxid;
    this.#lastZxid[at] = lastZxid;
    this.#leads[at] = leads ? 1 : 0;
    this.#publishedMs[at] = atMs;
    this.#loggedMs[at] = Number.NaN;
    this.#committedMs[at] = Number.NaN;
    this.#next += 1;
    const oldest = this.#next - REMEMBERED;
    this.#unlogged = Math.max(this.#unlogged, oldest);
    this.#uncommitted = Math.max(this.#uncommitted, oldest);
  }

  #truncate(from: Zxid): void {
    const oldest = Math.max(this.#next - REMEMBERED, 0);
    const isReplaced = (number: number): boolean =>
      number >= oldest && (this.#lastZxid[number % REMEMBERED] ?? 0) >= from;
    while (isReplaced(this.#next - 1)) this.#next -= 1;
    this.#unlogged = Math.min(this.#unlogged, this.#next);
    this.#uncommitted = Math.min(this.#uncommitted, this.#next);
  }

  /** The node's disk has all up to this zxid. */
  logged(through: Zxid, atMs: number): void {
    this.#unlogged = this.#reach(this.#unlogged, through, this.#loggedMs, atMs);
  }

  /** A quorum has. What is committed here is on this node's disk, which the log may be about to say. */
  committed(through: Zxid, atMs: number): void {
    this.logged(through, atMs);
    this.#uncommitted = this.#reach(this.#uncommitted, through, this.#committedMs, atMs);
  }

  #reach(from: number, through: Zxid, times: Float64Array, atMs: number): number {
    let number = from;
    while (number < this.#next && (this.#lastZxid[number % REMEMBERED] ?? 0) <= through) {
      times[number % REMEMBERED] = atMs;
      number += 1;
    }
    return number;
  }

  /** Undefined: no entry that is remembered has the zxid. */
  find(zxid: Zxid): Journalled | undefined {
    // Zxids rise: halving finds the last entry that does not begin behind this one.
    let [low, high] = [Math.max(this.#next - REMEMBERED, 0), this.#next - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#firstZxid[middle % REMEMBERED] ?? 0) <= zxid) low = middle;
      else high = middle - 1;
    }
    const at = low % REMEMBERED;
    if (low > high || low >= this.#next) return undefined;
    const [firstZxid, lastZxid] = [this.#firstZxid[at] ?? 0, this.#lastZxid[at] ?? 0];
    if (zxid < firstZxid || zxid > lastZxid) return undefined;
    return {
      ...{ firstZxid: firstZxid as Zxid, lastZxid: lastZxid as Zxid },
      leads: this.#leads[at] === 1,
      publishedMs: this.#publishedMs[at] ?? 0,
      loggedMs: known(this.#loggedMs[at]),
      committedMs: known(this.#committedMs[at]),
    };
  }
}

function known(ms: number | undefined): number | undefined {
  return ms === undefined || Number.isNaN(ms) ? undefined : ms;
}
