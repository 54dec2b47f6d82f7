/**
 * The children of a znode by pages. Those of a znode with few come in the order of their names, so that a page begins where the one before
 * ended, whatever has come and gone; each page takes all names. Those of a znode with many come as they stand in the tree, and each page
 * takes what it has (`actors/tree/children-page.ts`). Nothing is kept between two pages: what the first sort goes on from is a name, what
 * the second goes on from a cursor, which begins as no name does.
 */
import { assert } from "../../../protocol/assert.ts";
import { errorOfCode } from "../../../protocol/errors.ts";
import {
  API_CHILDREN_MAX,
  API_CURSOR_BYTES_MAX,
  API_SORTED_MAX,
  PAGE_AFTER_MAX,
} from "../../../protocol/limits.ts";
import type { PageBefore } from "../../../protocol/reads.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import type { HttpReply } from "../http-server.ts";
import { errorReply, jsonReply, statJson, zxidIn } from "./json.ts";

const CHILDREN_DEFAULT = 100;
/** Characters of the names in one request, but for the last. */
const NAMES_UNITS_SOFT_MAX: number = 64 * 1024;
/** No name of a znode has one. */
const CURSOR = "/";

type Page = {
  readonly names: readonly string[];
  readonly stat: Stat;
  readonly zxid: Zxid;
  /** What the next page goes on from; null: there is none. */
  readonly next: string | null;
  readonly sorted: boolean;
};

/** All names, in their order. */
export type Listed = {
  readonly names: readonly string[];
  readonly stat: Stat;
  readonly zxid: Zxid;
};

/** The Stats of the named children, undefined for one that is not there. */
type Stats = readonly (Stat | undefined)[];

/** How children are listed. The tree of zooid has pages; of other servers all names are asked for, as `list` does, and then their Stats. */
export type Listing =
  | { readonly kind: "pages" }
  | {
      readonly kind: "names";
      readonly list: (client: OwnClient, path: string) => Promise<Listed>;
      readonly stats: (client: OwnClient, path: string, names: readonly string[]) => Promise<Stats>;
    };

export async function children(
  client: OwnClient,
  query: URLSearchParams,
  listing: Listing = { kind: "pages" },
): Promise<HttpReply> {
  const path = query.get("path") ?? "/";
  const after = query.get("after") ?? "";
  const behind = query.get("behind") ?? undefined;
  const limitText = query.get("limit") ?? String(CHILDREN_DEFAULT);
  const limit = Number(limitText);
  if (!/^\d+$/.test(limitText) || limit < 1 || limit > API_CHILDREN_MAX) {
    const rule = `limit must be a whole number from 1 to ${API_CHILDREN_MAX}`;
    return errorReply(400, "ZOOID_BAD_ARGUMENTS", rule);
  }
  if (behind !== undefined && after !== "") {
    return errorReply(400, "ZOOID_BAD_ARGUMENTS", "a page goes on either after or behind");
  }
  const page = await pageOf(client, { path, after, behind, limit }, listing);
  if (page === "badCursor") {
    return errorReply(400, "ZOOID_BAD_ARGUMENTS", "after is a name, or what `next` was");
  }
  if (page === "lost") {
    const why =
      behind === undefined
        ? `the order of the children of ${path} is another by now: begin again without after`
        : `${path} has no child ${behind} to go on from: begin again without behind`;
    return errorReply(409, "ZOOID_PAGE_LOST", why);
  }
  const statsOf = listing.kind === "names" ? listing.stats : statsTogether;
  const stats = await statsOf(client, path, page.names);
  return jsonReply(200, {
    path,
    zxid: formatZxid(page.zxid),
    stat: statJson(page.stat),
    children: page.names.flatMap((name, index) => {
      const stat = stats[index];
      // One that has been deleted since is not shown.
      return stat === undefined ? [] : [{ name, stat: statJson(stat) }];
    }),
    sorted: page.sorted,
    next: page.next,
  });
}

async function statsTogether(
  client: OwnClient,
  path: string,
  names: readonly string[],
): Promise<Stats> {
  const stats: (Stat | undefined)[] = [];
  for (const some of portionsOf(names)) {
    const read = { kind: "childStats", path, names: some } as const;
    const { result } = await client.request({ kind: "read", read }, path, {});
    if (result.kind === "error") throw errorOfCode(result.code, path);
    assert(result.kind === "stats", "Stats are answered with Stats");
    for (const stat of result.stats) stats.push(stat ?? undefined);
  }
  return stats;
}

/** As many as a request may have, which are all unless they are very long. */
function* portionsOf(names: readonly string[]): Generator<readonly string[], void, undefined> {
  let [begin, units] = [0, 0];
  for (const [index, { length }] of names.entries()) {
    units += length;
    if (units < NAMES_UNITS_SOFT_MAX) continue;
    yield names.slice(begin, index + 1);
    [begin, units] = [index + 1, 0];
  }
  if (begin < names.length) yield names.slice(begin);
}

type Asked = {
  readonly path: string;
  readonly after: string;
  /** In the place of `after`: the name of a child, which whoever knows no cursor goes on from. */
  readonly behind: string | undefined;
  readonly limit: number;
};

async function pageOf(
  client: OwnClient,
  asked: Asked,
  listing: Listing,
): Promise<Page | "badCursor" | "lost"> {
  const { path, after, behind } = asked;
  if (listing.kind === "names") return pageByName(await listing.list(client, path), asked);
  if (after.startsWith(CURSOR)) {
    const before = decodeCursor(after);
    return before === undefined ? "badCursor" : await pageInTree(client, asked, before);
  }
  const { stat } = await client.exists(path);
  const isSorted = stat === undefined || stat.numChildren <= API_SORTED_MAX;
  if (isSorted) return pageByName(await listedOf(client, path), asked);
  if (behind !== undefined) return await pageBehind(client, asked, behind);
  return after === "" ? await pageInTree(client, asked, undefined) : "lost";
}

export async function listedOf(client: OwnClient, path: string): Promise<Listed> {
  const { children: all, stat, zxid } = await client.children(path);
  return { names: all.toSorted(), stat, zxid };
}

function pageByName({ names: all, stat, zxid }: Listed, { after, behind, limit }: Asked): Page {
  const begin = behind ?? after;
  const rest = all.filter((name) => name > begin);
  const names = rest.slice(0, limit);
  const next = rest.length > names.length ? (names.at(-1) ?? null) : null;
  return { names, stat, zxid, next, sorted: true };
}

/** What a cursor has beside the name is asked for first. */
async function pageBehind(client: OwnClient, asked: Asked, name: string): Promise<Page | "lost"> {
  const first = await pageInTree(client, { ...asked, limit: 1 }, undefined);
  if (first === "lost") return first;
  const before = first.next === null ? undefined : decodeCursor(first.next);
  return before === undefined
    ? "lost"
    : await pageInTree(client, asked, { ...before, names: [name] });
}

async function pageInTree(
  client: OwnClient,
  { path, limit }: Asked,
  after: PageBefore | undefined,
): Promise<Page | "lost"> {
  const read = { kind: "childrenPage", path, childrenMax: limit, after } as const;
  const { result, zxid } = await client.request({ kind: "read", read }, path, {});
  if (result.kind === "error") throw errorOfCode(result.code, path);
  assert(result.kind === "page", "a page is answered with a page");
  if (result.end === "lost") return "lost";
  const { children: names, stat, order } = result;
  const next = result.end === "more" ? encodeCursor({ names, zxid, order }) : null;
  return { names, stat, zxid, next, sorted: false };
}

/** The last names, as many as fit, and at least one. */
function encodeCursor({ names, zxid, order }: PageBefore): string {
  const last: string[] = [];
  let bytes = 0;
  for (const name of names.slice(-PAGE_AFTER_MAX).toReversed()) {
    bytes += Buffer.byteLength(name);
    if (last.length > 0 && bytes > API_CURSOR_BYTES_MAX) break;
    last.unshift(name);
  }
  const text = JSON.stringify([order, formatZxid(zxid), ...last]);
  return `${CURSOR}${Buffer.from(text).toString("base64url")}`;
}

/** Undefined: no page ended with it. */
function decodeCursor(cursor: string): PageBefore | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(cursor.slice(CURSOR.length), "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === "string")) {
    return undefined;
  }
  const [order, zxidText = "", ...names] = fields as string[];
  const zxid = zxidIn(zxidText);
  if (order === undefined || zxid === undefined) return undefined;
  if (names.length === 0 || names.length > PAGE_AFTER_MAX) return undefined;
  return { names, zxid, order };
}
