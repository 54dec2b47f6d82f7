/** A copy of a znode's children with their data. */
import { NoNodeError } from "../../protocol/errors.ts";
import { nameOf, parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { CallOptions } from "../wire.ts";
import type { Client } from "../client.ts";

export type Child = {
  readonly name: string;
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: Stat;
};

export class Below {
  readonly #client: Client;
  readonly #path: string;
  readonly #isMeant: (name: string) => boolean;
  #children = new Map<string, Child>();

  constructor(client: Client, path: string, isMeant: (name: string) => boolean = () => true) {
    this.#client = client;
    this.#path = path;
    this.#isMeant = isMeant;
  }

  /**
   * Reads the list of children, and the data of those that are new or were changed. `changes`: all there were since the last read; undefined:
   * everything is read. Without a znode at the path there are no children.
   */
  async read(
    changes: readonly Change[] | undefined,
    options: CallOptions = {},
  ): Promise<{ readonly value: readonly Child[]; readonly zxid: Zxid }> {
    const { names, zxid } = await this.#names(options);
    const known = changes === undefined ? new Map<string, Child>() : this.#children;
    for (const { path } of changes ?? []) {
      if (parentOf(path) === this.#path) known.delete(nameOf(path));
    }
    const read = await Promise.all(
      names.map(async (name) => known.get(name) ?? this.#child(name, options)),
    );
    const children = read.filter((child) => child !== undefined);
    this.#children = new Map(children.map((child) => [child.name, child]));
    return { value: children, zxid };
  }

  async #names(
    options: CallOptions,
  ): Promise<{ readonly names: readonly string[]; readonly zxid: Zxid }> {
    for (;;) {
      try {
        const { children, zxid } = await this.#client.children(this.#path, options);
        return { names: children.filter(this.#isMeant).toSorted(), zxid };
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      const { stat, zxid } = await this.#client.exists(this.#path, options);
      if (stat === undefined) return { names: [], zxid };
    }
  }

  async #child(name: string, options: CallOptions): Promise<Child | undefined> {
    const path = childPath(this.#path, name);
    try {
      const { data, stat } = await this.#client.get(path, options);
      return { name, path, data, stat };
    } catch (error) {
      // It went meanwhile.
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}

export function childPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}
