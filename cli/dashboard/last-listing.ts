/**
 * All children of a znode, in the order of their names. ZooKeeper has no pages of children, so that each page would take all names again: those
 * that were listed last are kept, and used while the znode's Stat says that they are the same.
 */
import type { Client } from "../../client/connect.ts";
import { NoNodeError } from "../../protocol/errors.ts";
import { type Listed, listedOf } from "../../server/admin/api/children.ts";

export class LastListing {
  #last: (Listed & { readonly path: string }) | undefined;

  /** Rejects with NoNodeError. */
  async list(client: Client, path: string): Promise<Listed> {
    const { stat, zxid } = await client.exists(path);
    if (stat === undefined) throw new NoNodeError(path);
    const last = this.#last;
    const isSame =
      last?.path === path &&
      last.stat.czxid === stat.czxid &&
      last.stat.pzxid === stat.pzxid &&
      last.stat.cversion === stat.cversion;
    if (isSame) return { names: last.names, stat, zxid };
    const listed = await listedOf(client, path);
    this.#last = { path, ...listed };
    return listed;
  }
}
