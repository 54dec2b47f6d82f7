/** What the API tells of znodes. It reads them as a client of the node, who may what everybody may. */
import { isUtf8 } from "node:buffer";
import { API_CHILDREN_MAX, API_LISTED_MAX } from "../../../protocol/limits.ts";
import { ZooidError } from "../../../protocol/errors.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import type { HttpReply } from "../http-server.ts";
import { errorReply, jsonReply, statJson } from "./json.ts";

const CHILDREN_DEFAULT = 100;
/** Requests for one page that are under way together. The node answers what has come together, and other clients wait meanwhile. */
const ASKED_AT_ONCE = 25;

export async function znode(client: OwnClient, query: URLSearchParams): Promise<HttpReply> {
  const path = query.get("path") ?? "/";
  const [{ data, stat, zxid }, { acl }] = await Promise.all([client.get(path), client.acl(path)]);
  const bytes = data === null ? undefined : Buffer.from(data);
  return jsonReply(200, {
    path,
    zxid: formatZxid(zxid),
    base64: bytes?.toString("base64") ?? null,
    text: bytes !== undefined && isUtf8(bytes) ? bytes.toString("utf8") : null,
    stat: statJson(stat),
    acl,
  });
}

/** The names are ordered by their UTF-16 units, so that a page begins where the one before ended, whatever has come and gone. */
export async function children(client: OwnClient, query: URLSearchParams): Promise<HttpReply> {
  const path = query.get("path") ?? "/";
  const after = query.get("after") ?? "";
  const limitText = query.get("limit") ?? String(CHILDREN_DEFAULT);
  const limit = Number(limitText);
  if (!/^\d+$/.test(limitText) || limit < 1 || limit > API_CHILDREN_MAX) {
    const rule = `limit must be a whole number from 1 to ${API_CHILDREN_MAX}`;
    return errorReply(400, "ZOOID_BAD_ARGUMENTS", rule);
  }
  const { stat: own } = await client.exists(path);
  if (own !== undefined && own.numChildren > API_LISTED_MAX) {
    const why = `${path} has ${own.numChildren} children, and those of ${API_LISTED_MAX} at most are listed here`;
    return errorReply(422, "ZOOID_TOO_MANY_CHILDREN", why);
  }
  const { children: names, stat, zxid } = await client.children(path);
  const behind = names.filter((name) => name > after).toSorted(byUnits);
  const shown = behind.slice(0, limit);
  const prefix = path === "/" ? "" : path;
  const listed: Record<string, unknown>[] = [];
  for (let first = 0; first < shown.length; first += ASKED_AT_ONCE) {
    const some = shown.slice(first, first + ASKED_AT_ONCE);
    const stats = await Promise.all(some.map((name) => client.exists(`${prefix}/${name}`)));
    for (const [index, { stat: found }] of stats.entries()) {
      // One that has been deleted since is not shown.
      if (found !== undefined) listed.push({ name: some[index], stat: statJson(found) });
    }
  }
  return jsonReply(200, {
    path,
    zxid: formatZxid(zxid),
    stat: statJson(stat),
    children: listed,
    next: behind.length > shown.length ? (shown.at(-1) ?? null) : null,
  });
}

function byUnits(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

const STATUSES: Readonly<Record<string, number>> = {
  ZOOID_BAD_ARGUMENTS: 400,
  ZOOID_NO_AUTH: 403,
  ZOOID_NO_NODE: 404,
  ZOOID_NODE_EXISTS: 409,
  ZOOID_BAD_VERSION: 409,
  ZOOID_NOT_EMPTY: 409,
  ZOOID_NO_CHILDREN_FOR_EPHEMERALS: 409,
};

/** The answer of a request that failed as requests of clients do. Throws what is no such failure. */
export function failureReply(error: unknown): HttpReply {
  if (!(error instanceof ZooidError)) throw error;
  return errorReply(STATUSES[error.code] ?? 503, error.code, error.message);
}
