/** A barrier: while it is up, all wait; when it is taken down, all go on. Sources: Curator's DistributedBarrier, kazoo's Barrier. */
import { checkCallOptions, checkPath } from "../../protocol/arguments.ts";
import { NoNodeError } from "../../protocol/errors.ts";
import type { Client } from "../client.ts";
import type { CallOptions } from "../wire.ts";
import { again } from "./again.ts";
import { checkWait } from "./arguments.ts";
import { Wait, type WaitOptions } from "./wait.ts";

/**
 * A barrier: while there is a znode at its path it is up, and all who `wait` wait. It belongs to no session, so it stays up until somebody
 * removes it. Sources: Curator's DistributedBarrier, kazoo's Barrier.
 */
export class Barrier {
  readonly #client: Client;
  readonly #path: string;

  /** As `client.barrier` makes it. Throws BadArgumentsError. */
  constructor(client: Client, path: string) {
    checkPath(path);
    this.#client = client;
    this.#path = path;
  }

  /** Puts the barrier up. It stays when this client goes. Resolves with whether it was down before. */
  async set(options: CallOptions = {}): Promise<boolean> {
    checkCallOptions(options);
    const made = { parents: "container", ifNotExists: true } as const;
    return (await this.#client.create(this.#path, null, { ...options, ...made })).created;
  }

  /** Takes the barrier down: whoever waits goes on. Resolves with whether it was up before. */
  async remove(options: CallOptions = {}): Promise<boolean> {
    checkCallOptions(options);
    try {
      await this.#client.delete(this.#path, options);
      return true;
    } catch (error) {
      if (error instanceof NoNodeError) return false;
      throw error;
    }
  }

  /**
   * Resolves when the barrier is down, or was taken down since the call, even if it is up again by now. Rejects with NotAcquiredError,
   * AbortedError, SessionExpiredError or ClosedError.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    checkWait(this.#path, options);
    using wait = new Wait(this.#client, this.#path, options);
    try {
      for (let isDown = false; !isDown; ) {
        const { stat, zxid } = await again(wait, (signal) =>
          this.#client.exists(this.#path, { signal }),
        );
        if (stat === undefined) return;
        const wish = { path: this.#path, recursive: false, after: zxid };
        await wait.untilChange(wish, ({ kind }) => {
          isDown ||= kind === "deleted";
          return isDown;
        });
      }
    } catch (error) {
      throw wait.failure(error);
    }
  }
}
