/** Looks for znodes by path and by value in a tree that was built beside the node, a second at a time. */
import { isPublic } from "../../protocol/access.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId } from "../../actors/tree/store/znodes.ts";
import { statJson, zxidIn } from "../admin/api/json.ts";
import type { Hiding } from "./changes.ts";
import { HistoryError } from "./errors.ts";
import { globOf } from "./glob.ts";
import { FIND_MS_MAX } from "./limits.ts";
import { Walk } from "./walk.ts";

export type FindQuery = {
  /** It, and all below it. */
  readonly path: string;
  /** In the tree as it was then. Default: the last that is known. */
  readonly zxid?: Zxid | undefined;
  /** What the whole path is like (`glob.ts`). Default: any. */
  readonly pattern?: string | undefined;
  /** The bytes that the value has somewhere, in hexadecimal digits. Default: any value, and none. */
  readonly value?: string | undefined;
};

/** Where a search has come to. The tree is one, whatever is written meanwhile. */
export type FindPlace = {
  readonly zxid: Zxid;
  /** How many znodes were looked at. */
  readonly looked: number;
};

/** As it stands in `next` of an answer. */
function placeText({ zxid, looked }: FindPlace): string {
  return `${formatZxid(zxid)}.${looked}`;
}

/** Undefined: the text is empty, and the search begins. Throws a `HistoryError` if it is no place. */
export function findPlaceIn(text: string): FindPlace | undefined {
  if (text === "") return undefined;
  const [, zxidText = "", looked = ""] = /^([^.]*)\.(\d{1,9})$/.exec(text) ?? [];
  const zxid = zxidIn(zxidText);
  if (zxid === undefined) throw new HistoryError("ZOOID_BAD_ARGUMENTS", "after is what next was");
  return { zxid, looked: Number(looked) };
}

/** Between two looks at the clock: znodes, and bytes of values, of which a znode counts as many. */
const BYTES_BETWEEN_LOOKS = 64 * 1024;
const ZNODE_BYTES = 256;
/** What is shown of a value before and behind what was sought in it. */
const EXCERPT_BYTES = 40;

type FindOptions = FindQuery &
  Hiding & {
    readonly zxid: Zxid;
    /** The znode at the path. */
    readonly top: ZnodeId;
    /** The paths that not everybody may read today. They do not even end a page, which would tell of their values. */
    readonly closedToday: ReadonlySet<string>;
  };

export type FindPage = {
  readonly path: string;
  readonly zxid: string;
  readonly looked: number;
  readonly found: readonly object[];
  readonly next: string | null;
};

/** The paths of all that not everybody may read. */
export function closedIn({ znodes }: TreeState): ReadonlySet<string> {
  const closed = new Set<string>();
  if (!znodes.hasClosed) return closed;
  for (let id = 0; id < znodes.end; id += 1) {
    if (znodes.isPresent(id) && !isPublic(znodes.acl(id))) closed.add(znodes.path(id));
  }
  return closed;
}

export class Search {
  readonly #state: TreeState;
  readonly #options: FindOptions;
  readonly #walk: Walk;
  readonly #value: Buffer | undefined;
  #looked: number;

  /** Throws a `HistoryError` if the pattern is none. */
  constructor(state: TreeState, options: FindOptions, after: FindPlace | undefined) {
    const { path, pattern, value, top } = options;
    const glob = pattern === undefined ? undefined : globOf(pattern);
    if (typeof glob === "string") throw new HistoryError("ZOOID_BAD_ARGUMENTS", glob);
    this.#state = state;
    this.#options = options;
    this.#value = value === undefined ? undefined : Buffer.from(value, "hex");
    this.#looked = after?.looked ?? 0;
    this.#walk = new Walk(state, top, { top: path, glob, skipped: after?.looked });
  }

  /** Goes on until `limit` were found, or for FIND_MS_MAX milliseconds. */
  page(limit: number, nowMs: () => number): FindPage {
    const end = nowMs() + FIND_MS_MAX;
    const found: object[] = [];
    let isOver = false;
    let bytes = 0;
    while (found.length < limit) {
      const step = this.#walk.next();
      if (step === undefined) {
        isOver = true;
        break;
      }
      this.#looked += 1;
      bytes += ZNODE_BYTES;
      if (step.isMatch) {
        bytes += this.#value === undefined ? 0 : this.#state.znodes.dataLength(step.id);
        const match = this.#matchOf(step.id, step.path);
        if (match !== undefined) found.push(match);
      }
      if (bytes >= BYTES_BETWEEN_LOOKS) {
        bytes = 0;
        if (nowMs() >= end) break;
      }
    }
    const { zxid, path } = this.#options;
    const looked = this.#looked;
    const next = isOver ? null : placeText({ zxid, looked });
    return { path, zxid: formatZxid(zxid), looked, found, next };
  }

  #matchOf(id: ZnodeId, path: string): object | undefined {
    const { znodes } = this.#state;
    const { hidesClosed, closedToday } = this.#options;
    if (hidesClosed && (!isPublic(znodes.acl(id)) || closedToday.has(path))) return undefined;
    const stat = statJson(znodes.stat(id));
    if (this.#value === undefined) return { path, stat };
    const data = znodes.data(id);
    if (data === null) return undefined;
    const value = Buffer.from(data.buffer, data.byteOffset, data.length);
    const at = value.indexOf(this.#value);
    return at === -1 ? undefined : { path, stat, at, excerpt: excerptOf(value, at, this.#value) };
  }
}

/** What stands around a place of the value, as text; what of it is no UTF-8 is U+FFFD, but for the ends, where a character may be cut. */
function excerptOf(value: Buffer, at: number, sought: Buffer): string {
  const [begin, end] = [Math.max(0, at - EXCERPT_BYTES), at + sought.length + EXCERPT_BYTES];
  const text = value
    .subarray(begin, end)
    .toString("utf8")
    .replaceAll(/^\ufffd+|\ufffd+$/g, "");
  return `${begin > 0 ? "…" : ""}${text}${end < value.length ? "…" : ""}`;
}
