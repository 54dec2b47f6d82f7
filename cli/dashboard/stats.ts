/** The Stats of children of servers that have no read of several at once. */
import type { Client } from "../../client/connect.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Stat } from "../../protocol/stat.ts";

/** Requests that are under way together. The server answers what has come together, and other clients wait meanwhile. */
const ASKED_AT_ONCE = 25;

export async function statsOneByOne(
  client: Client,
  path: string,
  names: readonly string[],
): Promise<readonly (Stat | undefined)[]> {
  const stats: (Stat | undefined)[] = [];
  for (let first = 0; first < names.length; first += ASKED_AT_ONCE) {
    const some = names.slice(first, first + ASKED_AT_ONCE);
    const found = await Promise.all(some.map((name) => client.exists(childOf(path, name))));
    for (const { stat } of found) stats.push(stat);
  }
  return stats;
}
