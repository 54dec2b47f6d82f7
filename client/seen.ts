/**
 * Up to where a client's callers have seen each path, so that "list, then follow" has no gap without being told where to begin.
 * The latest zxid of the whole client would be too late: answers to others may have come between a caller's read and its stream.
 */
import type { Zxid } from "../protocol/zxid.ts";

/** The paths that were read least recently are forgotten beyond so many. */
const PATHS_MAX = 10_000;

type Mark = { readonly zxid: Zxid; readonly turn: number };

export class Seen {
  readonly #marks = new Map<string, Mark>();
  #turn = 0;
  #turnEnds = false;

  /**
   * A read of the path was answered. Two answers of one turn of the event loop leave the earlier zxid: both callers go on
   * only after both have come.
   */
  read(path: string, zxid: Zxid): void {
    const known = this.#marks.get(path);
    const earlier = known?.turn === this.#turn && known.zxid < zxid ? known.zxid : zxid;
    this.#put(path, earlier);
  }

  /** A write is no later than a read of the same path: what others did in between was not seen. */
  wrote(path: string, zxid: Zxid): void {
    if (!this.#marks.has(path)) this.#put(path, zxid);
  }

  /** Undefined if nothing of the path was asked, nor, if `recursive`, of any below it. */
  of(path: string, recursive: boolean): Zxid | undefined {
    const own = this.#marks.get(path)?.zxid;
    if (own !== undefined || !recursive) return own;
    const below = path === "/" ? "/" : `${path}/`;
    let earliest: Zxid | undefined;
    for (const [each, { zxid }] of this.#marks) {
      if (each.startsWith(below) && (earliest === undefined || zxid < earliest)) earliest = zxid;
    }
    return earliest;
  }

  #put(path: string, zxid: Zxid): void {
    this.#marks.delete(path);
    this.#marks.set(path, { zxid, turn: this.#turn });
    if (this.#marks.size > PATHS_MAX) {
      const [oldest] = this.#marks.keys();
      if (oldest !== undefined) this.#marks.delete(oldest);
    }
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#turn += 1;
    });
  }
}
