/** What a consumer knows of a queue: its items in their order, and which of them somebody holds. */
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import { AbortedError, NoNodeError } from "../../protocol/errors.ts";
import { nameOf, parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import { follow } from "./following.ts";

const SEQUENCE_DIGITS = 10;
const PRIORITY_DIGITS = 3;

type Item = {
  readonly name: string;
  readonly order: string;
  isHeld: boolean;
  /** What is known of its holder is not older than this. */
  zxid: Zxid;
};

export class QueueView {
  /** Tells when there may be something to take; errors when nothing is followed any more. */
  readonly changed$: Observable<void>;
  readonly #client: Client;
  readonly #path: string;
  readonly #changed = new Subject<void>();
  readonly #stop: () => void;
  #items: Item[] = [];

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
    for (const { name, isHeld } of this.#items) {
      if (isHeld) continue;
      free.push(name);
      if (free.length === among) break;
    }
    return free[Math.floor(this.#client.wire.clock.random() * free.length)];
  }

  /** A read of this zxid has shown that somebody holds it. A change that was told later says more. */
  held(name: string, zxid: Zxid): void {
    const item = this.#items.find((each) => each.name === name);
    if (item !== undefined && item.zxid <= zxid) item.isHeld = true;
  }

  gone(name: string): void {
    this.#items = this.#items.filter((each) => each.name !== name);
  }

  async #read(changes: readonly Change[] | undefined): Promise<Zxid> {
    if (changes !== undefined) {
      for (const change of changes) this.#apply(change);
      return this.#client.lastZxid;
    }
    const { children, zxid } = await this.#client.children(this.#path);
    this.#items = [];
    for (const name of children) this.#add(name, zxid);
    this.#items.sort((one, other) => (one.order < other.order ? -1 : 1));
    return zxid;
  }

  #apply({ kind, path, zxid }: Change): void {
    const parent = parentOf(path);
    if (path === this.#path && kind === "deleted") throw new NoNodeError(path);
    if (parent === this.#path) {
      const name = nameOf(path);
      if (kind === "deleted") this.gone(name);
      if (kind === "created" && !this.#items.some((each) => each.name === name))
        this.#insert(name, zxid);
    } else if (parentOf(parent) === this.#path) {
      const item = this.#items.find(({ name }) => name === nameOf(parent));
      if (item === undefined) return;
      item.isHeld = kind !== "deleted";
      item.zxid = zxid;
    }
  }

  #insert(name: string, zxid: Zxid): void {
    const order = orderOf(name);
    const at = this.#items.findLastIndex((each) => each.order < order) + 1;
    this.#items.splice(at, 0, { name, order, isHeld: false, zxid });
  }

  #add(name: string, zxid: Zxid): void {
    this.#items.push({ name, order: orderOf(name), isHeld: false, zxid });
  }
}

/** By priority, then in the order in which they were put. */
function orderOf(name: string): string {
  return name.slice(0, PRIORITY_DIGITS) + name.slice(-SEQUENCE_DIGITS);
}
