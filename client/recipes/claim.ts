/**
 * A claim: an ephemeral znode of this client's session that stands for a right of its holder, such as a lock. Its `signal` aborts before the
 * ensemble can have ended the session, so before anybody else can hold the same; `fence` and `isHeld` are for what the
 * signal cannot reach, such as a process that stood still. Source of the fence: M. Kleppmann, "How to do distributed locking".
 */
import type { Condition } from "../conditions.ts";
import { exists } from "../conditions.ts";
import { NoNodeError } from "../../protocol/errors.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import type { Wire } from "../wire.ts";
import { mayBeAgain, pause } from "./again.ts";
import { ClaimLostError, type LostBecause } from "./errors.ts";

/** How long a delete that failed waits before it is tried again, in milliseconds. */
const AGAIN_MS = 500;

export class Claim {
  /** The znode that stands for the claim. */
  readonly path: string;
  /**
   * Larger than that of every earlier holder. Whoever guards something outside of the ensemble, such as a row of a database, refuses fences
   * below the largest that it has seen.
   */
  readonly fence: bigint;
  /** Aborts when the claim is lost or released, with a ClaimLostError as its reason. */
  readonly signal: AbortSignal;
  /** For transactions: nothing of it is done unless the claim is held at that moment. */
  readonly isHeld: Condition;
  readonly #client: Client;
  readonly #lost = new AbortController();
  readonly #stops: (() => void)[] = [];
  #deleted: Promise<void> | undefined;

  /** `stat` is that of the znode, which this client's session owns. */
  constructor(client: Client, path: string, stat: Stat) {
    this.#client = client;
    this.path = path;
    this.fence = BigInt(stat.czxid);
    this.signal = this.#lost.signal;
    this.isHeld = exists(path);
    const { wire } = client;
    const deleted = {
      portion: (changes: readonly Change[], _through: Zxid, taken: () => void): void => {
        taken();
        if (changes.some(({ kind }) => kind === "deleted")) this.#lose("deleted");
      },
      // Without the stream the session still tells: nobody but its owner has a reason to delete the znode.
      ended: (): void => undefined,
    };
    const watches = [
      () => whenNotValid(wire, () => this.#lose("silence")),
      () => whenOver(client, () => this.#lose("session ended")),
      () => wire.subscribe({ path, recursive: false, after: stat.czxid }, deleted),
    ];
    for (const watch of watches) if (!this.signal.aborted) this.#stops.push(watch());
    if (this.signal.aborted) this.#stop();
  }

  /** Milliseconds for which nobody else can hold it, whatever happens; 0 once it is lost. It grows with each answer of the ensemble. */
  get remainingMs(): number {
    if (this.signal.aborted) return 0;
    const { wire } = this.#client;
    return Math.max(0, wire.validUntilMs - wire.clock.nowMs());
  }

  /** Gives it back. Resolves when its znode is gone, or will be with the session. */
  async release(): Promise<void> {
    this.#lose("released");
    await this.#deleted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  #lose(because: LostBecause): void {
    if (this.#lost.signal.aborted) return;
    this.#stop();
    this.#lost.abort(new ClaimLostError(this.path, because));
    this.#deleted = deletedInTheEnd(this.#client, this.path);
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

/** Deletes a znode of this session: again and again, until it is gone or the session is over. Never rejects. */
export async function deletedInTheEnd(client: Client, path: string): Promise<void> {
  while (!client.signal.aborted) {
    try {
      await client.delete(path);
      return;
    } catch (error) {
      if (error instanceof NoNodeError || !mayBeAgain(error)) return;
      await pause(client.wire.clock, AGAIN_MS, client.signal);
    }
  }
}

/**
 * Calls `lapsed` when the session may have been ended, by the client's own clock; at once if that is so already. Returns a function that
 * stops it.
 */
export function whenNotValid(wire: Wire, lapsed: () => void): () => void {
  let cancel = (): void => undefined;
  const look = (): void => {
    const leftMs = wire.validUntilMs - wire.clock.nowMs();
    if (leftMs <= 0) lapsed();
    else cancel = wire.clock.after(leftMs, look);
  };
  look();
  return () => cancel();
}

function whenOver({ signal }: Client, over: () => void): () => void {
  if (signal.aborted) over();
  signal.addEventListener("abort", over, { once: true });
  return () => signal.removeEventListener("abort", over);
}
