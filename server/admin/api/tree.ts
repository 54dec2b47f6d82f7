/** What the API tells of a znode, which it reads as a client who may what everybody may, and what it answers where that fails. */
import { isUtf8 } from "node:buffer";
import { ZooidError } from "../../../protocol/errors.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import type { HttpReply } from "../http-server.ts";
import { errorReply, jsonReply, statJson } from "./json.ts";

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
