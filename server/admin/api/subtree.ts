/** A znode with all that is below it: how many that are, and their end in one step. */
import { Code } from "../../../protocol/codes.ts";
import { errorOfCode, NoNodeError } from "../../../protocol/errors.ts";
import { REMOVE_RECURSIVE_MAX } from "../../../protocol/limits.ts";
import { childOf } from "../../../protocol/paths.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import type { HttpReply } from "../http-server.ts";
import { jsonReply } from "./json.ts";

/** Znodes that are looked at together. Other clients wait for what the node answers meanwhile. */
const AT_ONCE = 25;

type Seen = { readonly children: readonly string[]; readonly isEphemeral: boolean };

/** Those that are deleted meanwhile do not count, and nothing is counted twice. */
export async function count(client: OwnClient, query: URLSearchParams): Promise<HttpReply> {
  const path = query.get("path") ?? "/";
  const waiting = [path];
  let znodes = 0;
  let ephemerals = 0;
  let isWhole = true;
  while (waiting.length > 0 && isWhole) {
    const some = waiting.splice(-AT_ONCE);
    const most = REMOVE_RECURSIVE_MAX - znodes - waiting.length;
    const seen = await Promise.all(
      some.map((each) => see(client, each, most).catch(onlyGone(each, path))),
    );
    for (const [index, found] of seen.entries()) {
      if (found === undefined) continue;
      znodes += 1;
      if (found.isEphemeral) ephemerals += 1;
      for (const name of found.children) waiting.push(childOf(some[index] ?? "", name));
    }
    isWhole = znodes + waiting.length <= REMOVE_RECURSIVE_MAX;
  }
  return jsonReply(200, {
    path,
    znodes: isWhole ? znodes : REMOVE_RECURSIVE_MAX,
    ephemerals,
    isWhole,
  });
}

/** No more children than one more than are still counted. */
async function see(client: OwnClient, path: string, most: number): Promise<Seen> {
  const children: string[] = [];
  let isEphemeral = false;
  for await (const page of client.childrenPages(path)) {
    isEphemeral = page.stat.ephemeralOwner !== 0;
    children.push(...page.children);
    if (children.length > most) break;
  }
  return { children, isEphemeral };
}

function onlyGone(path: string, top: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof NoNodeError) || path === top) throw error;
    return undefined;
  };
}

/**
 * Deletes the znode and what is below it, or nothing if these are more than `znodes`, as when somebody has made more since they were
 * counted. Returns the zxid.
 */
export async function deleteAll(client: OwnClient, path: string, znodes: number): Promise<Zxid> {
  const operations = [
    // By itself the other operation is a success where there is nothing.
    { kind: "check", path, version: -1 },
    { kind: "removeRecursive", path, znodesMax: znodes },
  ] as const;
  const { result, zxid } = await client.multi(operations, path, {});
  const results = result.kind === "multi" ? result.results : [result];
  for (const each of results) {
    if (each.kind === "error" && each.code !== Code.ok) throw errorOfCode(each.code, path);
  }
  return zxid;
}
