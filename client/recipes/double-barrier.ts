/**
 * A double barrier: all members begin together, and end together. Sources: Curator's DistributedDoubleBarrier and kazoo's DoubleBarrier,
 * whose layout it has: a znode for each member, and `ready` once all have come.
 */
import { checkPath } from "../../protocol/arguments.ts";
import { BadArgumentsError, NoNodeError, NodeExistsError } from "../../protocol/errors.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Client } from "../client.ts";
import { again } from "./again.ts";
import { checkWait } from "./arguments.ts";
import { deletedInTheEnd } from "./claim.ts";
import { uniqueName } from "./unique.ts";
import { Wait, type WaitOptions } from "./wait.ts";

/** How many meet at a double barrier, and what this one says of itself. */
export type DoubleBarrierOptions = {
  /** How many have to enter before any goes on. Everybody who uses it has to say the same. */
  readonly members: number;
  /** What others read of this member. Default: nothing. */
  readonly data?: Uint8Array | string | null;
};

const READY = "ready";

/** One member of the barrier. It enters once, and leaves once, before it enters again. */
export class DoubleBarrier {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: DoubleBarrierOptions;
  readonly #name: string;

  constructor(client: Client, path: string, options: DoubleBarrierOptions) {
    checkPath(path);
    const { members } = options;
    if (!Number.isSafeInteger(members) || members < 1) {
      throw new BadArgumentsError("`members` is a whole number above 0");
    }
    this.#client = client;
    this.#path = path;
    this.#options = options;
    this.#name = uniqueName(client.wire.clock);
  }

  /**
   * Resolves when so many have entered. Rejects with NotAcquiredError, AbortedError, SessionExpiredError or ClosedError: then it has not
   * entered, and its znode goes.
   */
  async enter(options: WaitOptions = {}): Promise<void> {
    checkWait(this.#path, options);
    const { members, data = null } = this.#options;
    const [own, ready] = [childOf(this.#path, this.#name), childOf(this.#path, READY)];
    const client = this.#client;
    using wait = new Wait(client, this.#path, options);
    try {
      await again(wait, (signal) => {
        const made = { ephemeral: true, ifNotExists: true, parents: "container", signal } as const;
        return client.create(own, data, made);
      });
      for (;;) {
        const { children, zxid } = await again(wait, (signal) =>
          client.children(this.#path, { signal }),
        );
        if (children.includes(READY)) return;
        if (children.length >= members) {
          await again(wait, (signal) => client.create(ready, null, { signal }));
          return;
        }
        const wish = { path: ready, recursive: false, after: zxid };
        await wait.untilChange(wish, ({ kind }) => kind === "created");
      }
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      void deletedInTheEnd(client, own);
      throw wait.failure(error);
    }
  }

  /**
   * Resolves when all members have left. Those who are first to say so wait for the others: all znodes but the lowest go at once, and the
   * lowest goes when it is alone. Rejects as `enter` does; then this member has left, and the others may still be inside.
   */
  async leave(options: WaitOptions = {}): Promise<void> {
    checkWait(this.#path, options);
    const own = childOf(this.#path, this.#name);
    const client = this.#client;
    using wait = new Wait(client, this.#path, options);
    try {
      for (;;) {
        const { children, zxid } = await again(wait, (signal) =>
          client.children(this.#path, { signal }),
        );
        const inside = children.filter((name) => name !== READY).toSorted();
        const isLowest = inside[0] === this.#name;
        if (!isLowest || inside.length === 1)
          await again(wait, (signal) => gone(client, own, signal));
        const awaited = isLowest ? inside.at(-1) : inside[0];
        if (awaited === undefined || awaited === this.#name) break;
        const wish = { path: childOf(this.#path, awaited), recursive: false, after: zxid };
        await wait.untilChange(wish, ({ kind }) => kind === "deleted");
      }
      await again(wait, (signal) => gone(client, childOf(this.#path, READY), signal));
    } catch (error) {
      if (error instanceof NoNodeError) return;
      void deletedInTheEnd(client, own);
      throw wait.failure(error);
    }
  }
}

async function gone(client: Client, path: string, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(path, { signal });
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
}
