/** The end of a node, which comes once: what it has is released for the first reason that there is. */
import type { StopReason } from "./running-node.ts";

export class Ending {
  readonly #release: (reason: StopReason) => Promise<void>;
  #reason: StopReason = { kind: "asked" };
  #released: Promise<void> | undefined;

  /** `release` is called once, when the end begins. */
  constructor(release: (reason: StopReason) => Promise<void>) {
    this.#release = release;
  }

  get hasBegun(): boolean {
    return this.#released !== undefined;
  }

  /** Why the node ends, which may still change while it does. */
  get reason(): StopReason {
    return this.#reason;
  }

  /**
   * Resolves when everything is released, and rejects when something cannot be. A node that ends to be started again is not started again if it is
   * asked to stop meanwhile.
   */
  begin(reason: StopReason): Promise<void> {
    if (this.#released !== undefined) {
      const isRevoked = reason.kind === "asked" && this.#reason.kind === "restart";
      if (isRevoked) this.#reason = reason;
      return this.#released;
    }
    this.#reason = reason;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // What is released first may ask for the end as well.
    this.#released = promise;
    this.#release(reason).then(resolve, reject);
    return promise;
  }
}
