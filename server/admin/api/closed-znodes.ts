/** Which znodes the API's client, who may what everybody may, is not let read. */
import { Code } from "../../../protocol/codes.ts";
import { errorOfCode } from "../../../protocol/errors.ts";
import type { OwnClient } from "../../embedded/own-client.ts";

/** Znodes that are looked at together. Other clients wait for what the node answers meanwhile. */
const AT_ONCE = 25;

/** False where there is no znode. */
export async function isClosed(client: OwnClient, path: string): Promise<boolean> {
  // It takes the permission that reading the value takes, and is small whatever the znode has.
  const read = { kind: "childrenPage", path, childrenMax: 1, after: undefined } as const;
  const { result } = await client.request({ kind: "read", read }, path, {});
  if (result.kind !== "error" || result.code === Code.noNode) return false;
  if (result.code === Code.noAuth) return true;
  throw errorOfCode(result.code, path);
}

export async function closedAmong(
  client: OwnClient,
  paths: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const all = [...paths];
  const closed = new Set<string>();
  for (let first = 0; first < all.length; first += AT_ONCE) {
    const some = all.slice(first, first + AT_ONCE);
    const are = await Promise.all(some.map((path) => isClosed(client, path)));
    for (const [index, path] of some.entries()) if (are[index] === true) closed.add(path);
  }
  return closed;
}
