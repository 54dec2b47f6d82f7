/**
 * Which znodes are containers or have a TTL, where their servers do not tell it. It is known from the files of a server, and from the creates that
 * went through the relay. A znode is named by its path and the zxid that created it, so that a later one at the path is not taken for it.
 */
import type { Lifetime } from "../../protocol/lifetime.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { findFiles } from "../zookeeper-files/folder.ts";
import { importFiles } from "../zookeeper-files/import.ts";

type Known = { readonly czxid: Zxid; readonly lifetime: Lifetime | "none" };

export class KnownLifetimes {
  readonly #byPath = new Map<string, Known>();
  /** The files have all that was created up to this zxid. */
  #through = 0;

  /** Undefined: it is not known. */
  of(path: string, czxid: Zxid): Lifetime | "none" | undefined {
    const known = this.#byPath.get(path);
    if (known !== undefined && known.czxid === czxid) return known.lifetime;
    return czxid <= this.#through ? "none" : undefined;
  }

  created(path: string, czxid: Zxid, lifetime: Lifetime | "none"): void {
    this.#byPath.set(path, { czxid, lifetime });
  }

  /** Reads the files of a server of Apache ZooKeeper, which may run. Returns how many znodes with a lifetime they have. */
  async read(folder: string, logFolder: string | undefined): Promise<number> {
    const { tree } = await importFiles(findFiles(folder, logFolder), () => undefined);
    const { znodes, lastApplied } = tree.state;
    for (const [id, lifetime] of znodes.lifetimes) {
      this.created(znodes.path(id), znodes.czxid(id), lifetime);
    }
    this.#through = lastApplied;
    return znodes.lifetimes.size;
  }
}
