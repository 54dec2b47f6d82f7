/** The end of a znode with all that is below it, where the ensemble has no one operation for it: a transaction of deletes, from below. */
import type { Client } from "../../client/connect.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { deleteAll as deleteAtOnce } from "../../server/admin/api/subtree.ts";

/** Znodes that are listed together. */
const AT_ONCE = 25;

/**
 * Deletes them all, or none: if there are more than `znodes`, or somebody makes one meanwhile. Servers of ZooKeeper's take transactions up to their
 * `jute.maxbuffer`, some ten thousand paths. Returns the zxid.
 */
export async function deleteAll(client: Client, path: string, znodes: number): Promise<Zxid> {
  if (client.wire.features.wideOperations) return await deleteAtOnce(client, path, znodes);
  const paths = await pathsOf(client, path, znodes);
  const { zxid } = await client
    .transaction((steps) => paths.map((each) => steps.delete(each)))
    .commit();
  return zxid;
}

/** Those below come before those above them. */
async function pathsOf(client: Client, top: string, most: number): Promise<readonly string[]> {
  const found = [top];
  let next = 0;
  while (next < found.length) {
    const some = found.slice(next, next + AT_ONCE);
    next += some.length;
    const listed = await Promise.all(some.map((each) => client.children(each)));
    for (const [index, { children }] of listed.entries()) {
      for (const name of children) found.push(childOf(some[index] ?? "", name));
    }
    if (found.length > most) {
      throw new BadArgumentsError(`there are more than ${most} znodes at ${top} by now`);
    }
  }
  return found.toReversed();
}
