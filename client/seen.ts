/**
 * Remembers, for each path, the zxid up to which the client's callers have seen it. A change stream begins there, so that "list, then
 * follow" has no gap. The latest zxid of the whole client would be too late: between a caller's read and its stream the client may
 * have received answers to other callers.
 */
import type { Zxid } from "../protocol/zxid.ts";

/** How many paths are remembered. Beyond it the one that was read least recently is forgotten. */
const PATHS_MAX = 10_000;

type Point = { readonly zxid: Zxid; readonly turn: number };

export class Seen {
  readonly #points = new Map<string, Point>();
  #turn = 0;
  #turnEnds = false;

  /**
   * Notes that a read of the path was answered. If two answers come in one turn of the event loop, the smaller zxid is kept: both callers
   * continue only after the turn, and begin from it.
   */
  read(path: string, zxid: Zxid): void {
    const known = this.#points.get(path);
    const earlier = known?.turn === this.#turn && known.zxid < zxid ? known.zxid : zxid;
    this.#put(path, earlier);
  }

  /**
   * Notes that a write was answered. It does not replace an earlier read: the caller has not seen what others changed since that
   * read.
   */
  wrote(path: string, zxid: Zxid): void {
    if (!this.#points.has(path)) this.#put(path, zxid);
  }

  /**
   * The zxid from which a stream of the path begins; undefined if the path, and with `recursive` every path below it, is unknown.
   */
  of(path: string, recursive: boolean): Zxid | undefined {
    const own = this.#points.get(path)?.zxid;
    if (own !== undefined || !recursive) return own;
    const below = path === "/" ? "/" : `${path}/`;
    let earliest: Zxid | undefined;
    for (const [each, { zxid }] of this.#points) {
      if (each.startsWith(below) && (earliest === undefined || zxid < earliest)) earliest = zxid;
    }
    return earliest;
  }

  #put(path: string, zxid: Zxid): void {
    this.#points.delete(path);
    this.#points.set(path, { zxid, turn: this.#turn });
    if (this.#points.size > PATHS_MAX) {
      const [oldest] = this.#points.keys();
      if (oldest !== undefined) this.#points.delete(oldest);
    }
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#turn += 1;
    });
  }
}
