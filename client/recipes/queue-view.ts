/** What a consumer knows of a queue: its items in their order, and which of them somebody holds. */
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import { AbortedError, NoNodeError } from "../../protocol/errors.ts";
import { nameOf, parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import { SortedMap } from "../streams/sorted-map.ts";
import { follow } from "./following.ts";

const SEQUENCE_DIGITS = 10;
const PRIORITY_DIGITS = 3;

export class QueueView {
  /** Tells when there may be something to take; errors when nothing is followed any more. */
  readonly changed$: Observable<void>;
  readonly #client: Client;
  readonly #path: string;
  readonly #changed = new Subject<void>();
  readonly #stop: () => void;
  /** By the names of the items: what is known of its holder is not older than this. */
  #items = new Map<string, Zxid>();
  /** The names of those that nobody holds, in their order. */
  #free: SortedMap<string> = SortedMap.empty;

  /** `path`: the parent of the items, which exists. */
  constructor(client: Client, path: string) {
    this.#client = client;
    this.#path = path;
    this.changed$ = this.#changed.asObservable();
    this.#stop = follow(client, {
      path,
      recursive: true,
      read: async (changes) => ({ value: undefined, zxid: await this.#read(changes) }),
      next: () => this.#changed.next(),
      failed: (error) => this.#changed.error(error),
    });
  }

  /** Those who wait are told that nobody looks any more. */
  stop(): void {
    this.#stop();
    this.#changed.error(new AbortedError());
  }

  /** One of the first `among` items that nobody holds; undefined if there is none. */
  free(among: number): string | undefined {
    const free: string[] = [];
    for (const name of this.#free.values()) {
      free.push(name);
      if (free.length === among) break;
    }
    return free[Math.floor(this.#client.wire.clock.random() * free.length)];
  }

  /** A read of this zxid has shown that somebody holds it. A change that was told later says more. */
  held(name: string, zxid: Zxid): void {
    const known = this.#items.get(name);
    if (known !== undefined && known <= zxid) this.#free = this.#free.without(orderOf(name));
  }

  gone(name: string): void {
    this.#items.delete(name);
    this.#free = this.#free.without(orderOf(name));
  }

  async #read(changes: readonly Change[] | undefined): Promise<Zxid> {
    if (changes !== undefined) {
      for (const change of changes) this.#apply(change);
      return this.#client.lastZxid;
    }
    const { children, zxid } = await this.#client.children(this.#path);
    this.#items = new Map(children.map((name) => [name, zxid]));
    const free = children.map((name): [string, string] => [orderOf(name), name]);
    free.sort(([one], [other]) => (one < other ? -1 : 1));
    this.#free = SortedMap.of(free);
    return zxid;
  }

  #apply({ kind, path, zxid }: Change): void {
    const parent = parentOf(path);
    if (path === this.#path && kind === "deleted") throw new NoNodeError(path);
    if (parent === this.#path) {
      const name = nameOf(path);
      if (kind === "deleted") this.gone(name);
      if (kind === "created" && !this.#items.has(name)) this.#noted(name, { zxid, isFree: true });
    } else if (parentOf(parent) === this.#path && this.#items.has(nameOf(parent))) {
      this.#noted(nameOf(parent), { zxid, isFree: kind === "deleted" });
    }
  }

  #noted(name: string, { zxid, isFree }: { readonly zxid: Zxid; readonly isFree: boolean }): void {
    this.#items.set(name, zxid);
    const order = orderOf(name);
    this.#free = isFree ? this.#free.with(order, name) : this.#free.without(order);
  }
}

/** By priority, then in the order in which they were put. No two are the same. */
function orderOf(name: string): string {
  return name.slice(0, PRIORITY_DIGITS) + name.slice(-SEQUENCE_DIGITS) + name;
}
