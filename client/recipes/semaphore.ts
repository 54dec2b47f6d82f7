/**
 * A semaphore: so many holders at a time, those who wait in the order in which they came. Its layout is that of Curator's
 * InterProcessSemaphoreV2: a lease is taken below `leases` under the lock at `locks`, so one only waits for a lease to be given back.
 */
import type { Acl } from "../../protocol/acl.ts";
import { checkPath } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Client } from "../client.ts";
import { checkWait } from "./arguments.ts";
import type { Claim } from "./claim.ts";
import { type Line, standIn } from "./line.ts";
import { lock } from "./lock.ts";
import type { WaitOptions } from "./wait.ts";

/** How many hold a semaphore. */
export type SemaphoreOptions = {
  /** How many may hold it at a time, at least 1. Everybody who uses it has to say the same. */
  readonly permits: number;
};

/** How somebody waits for a permit, and holds it. */
export type AcquireOptions = WaitOptions & {
  /** What others read who look who holds it. Default: nothing. */
  readonly data?: Uint8Array | string | null;
  /** Who may do what with the znodes that are made for it. Default: everybody everything. */
  readonly acl?: readonly Acl[];
};

const LEASE = "lease-";

/**
 * A semaphore at a path: at most `permits` hold it at a time, those who wait in the order in which they came. Source: Curator's
 * InterProcessSemaphoreV2, in whose layout it stands.
 */
export class Semaphore {
  /** How many may hold it at a time. */
  readonly permits: number;
  readonly #client: Client;
  readonly #path: string;

  constructor(client: Client, path: string, { permits }: SemaphoreOptions) {
    checkPath(path);
    if (!Number.isSafeInteger(permits) || permits < 1) {
      throw new BadArgumentsError("`permits` is a whole number above 0");
    }
    this.permits = permits;
    this.#client = client;
    this.#path = path;
  }

  /** Waits until fewer than `permits` others hold it. Rejects as `lock` does. */
  async acquire(options: AcquireOptions = {}): Promise<Claim> {
    const { data = null, acl, waitMs, signal } = options;
    checkWait(this.#path, options);
    const { clock } = this.#client.wire;
    const startedMs = clock.nowMs();
    const turn = await lock(this.#client, childOf(this.#path, "locks"), { ...options, data: null });
    const line: Line = {
      ...{ path: childOf(this.#path, "leases"), data, acl, markers: [LEASE] },
      nameFor: (unique) => `_c_${unique}-${LEASE}`,
      // Leases are given back in any order, so one waits for anybody's; nobody else does so, since one has the lock.
      blockerOf: (_members, index) => (index < this.permits ? undefined : "anybody"),
    };
    try {
      const leftMs = waitMs === undefined ? undefined : waitMs - (clock.nowMs() - startedMs);
      const wait = leftMs === undefined ? undefined : Math.max(0, leftMs);
      return await standIn(this.#client, line, { waitMs: wait, signal });
    } finally {
      void turn.release();
    }
  }
}
