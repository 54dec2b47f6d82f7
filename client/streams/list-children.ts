/** The names of a znode's children, by pages where the ensemble has them, so that no answer is large. */
import { PAGE_AFTER_MAX } from "../../protocol/limits.ts";
import type { ChildrenPage } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Reads } from "./source.ts";

const PAGE_SIZE = 1_000;
/** How often it begins again before it asks for all children at once. */
const RESTARTS_MAX = 8;

export type Listing = {
  readonly path: string;
  readonly hasPages: boolean;
  /**
   * A name may come more than once, and children that come or go meanwhile may be named or not. What was there from the first answer to
   * the last is named.
   */
  readonly names: (names: readonly string[], zxid: Zxid) => void;
  /** All are named, as of the last answer's zxid, or there is no such znode. */
  readonly done: (exists: boolean, zxid: Zxid) => void;
  /** The client may not list the children. Undefined: the stream ends. */
  readonly refused?: (() => void) | undefined;
};

export function listChildren(reads: Reads, listing: Listing): void {
  if (listing.hasPages) page(reads, listing, undefined, 0);
  else all(reads, listing);
}

function all(reads: Reads, { path, names, done, refused }: Listing): void {
  reads.children(
    path,
    (found, zxid) => {
      if (found !== undefined) names(found.children, zxid);
      done(found !== undefined, zxid);
    },
    refused,
  );
}

function page(
  reads: Reads,
  listing: Listing,
  after: ChildrenPage["after"],
  restarts: number,
): void {
  const { path, names, done, refused } = listing;
  reads.page(
    { path, childrenMax: PAGE_SIZE, after },
    (found, zxid) => {
      if (found === undefined) {
        done(false, zxid);
        return;
      }
      const { children, end, order } = found;
      names(children, zxid);
      if (end === "last") done(true, zxid);
      else if (end === "more") {
        const last = children.slice(-PAGE_AFTER_MAX);
        page(reads, listing, { names: last, zxid, order }, restarts);
      } else if (restarts < RESTARTS_MAX) page(reads, listing, undefined, restarts + 1);
      else all(reads, listing);
    },
    refused,
  );
}
