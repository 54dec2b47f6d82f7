/**
 * A claim: an ephemeral znode of this client's session that stands for a right of its holder, such as a lock. Its `signal` aborts before the
 * ensemble can have ended the session, so before anybody else can hold the same; `fence` and `isHeld` are for what the
 * signal cannot reach, such as a process that stood still. Source of the fence: M. Kleppmann, "How to do distributed locking".
 */
import type { Condition } from "../conditions.ts";
import { exists } from "../conditions.ts";
import { AbortedError, NoNodeError } from "../../protocol/errors.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import { again, mayBeAgain, pause } from "./again.ts";
import { ClaimLostError, type LostBecause } from "./errors.ts";

/** How long a delete that failed waits before it is tried again, in milliseconds. */
const AGAIN_MS = 500;

/**
 * A right that this client holds, such as a lock: an ephemeral znode of its session stands for it. It is lost when the session ends, when
 * the ensemble has not answered for so long that it may have ended it, and when somebody else deletes the znode; what is lost stays lost.
 * `await using` gives it back. Source of the fence: M. Kleppmann, "How to do distributed locking".
 */
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
  #unsubscribe = (): void => undefined;
  #deleted: Promise<void> | undefined;

  /** `stat` is that of the znode, which this client's session owns, and was there at the zxid `seen`. */
  constructor(client: Client, path: string, stat: Stat, seen: Zxid = stat.czxid) {
    this.#client = client;
    this.path = path;
    this.fence = BigInt(stat.czxid);
    this.signal = this.#lost.signal;
    this.isHeld = exists(path);
    const watches = [
      () => client.wire.whenLapsed(() => this.#lose("silence")),
      () => whenOver(client, () => this.#lose("session ended")),
    ];
    for (const watch of watches) if (!this.signal.aborted) this.#stops.push(watch());
    if (this.signal.aborted) this.#stop();
    else this.#follow(seen);
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

  /** The same as `release`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Hears whether somebody else deletes the znode. */
  #follow(from: Zxid): void {
    const { path } = this;
    this.#unsubscribe = this.#client.wire.subscribe(
      { path, recursive: false, after: from },
      {
        portion: (changes, _through, taken) => {
          taken();
          if (changes.some(({ kind }) => kind === "deleted")) this.#lose("deleted");
        },
        ended: () => void this.#lookAgain(),
      },
    );
  }

  /** The stream has a gap, or could not be opened: whether the znode is still there is read, and followed from there. */
  async #lookAgain(): Promise<void> {
    const { signal, path } = this;
    const { clock } = this.#client.wire;
    try {
      await pause(clock, AGAIN_MS, signal);
      const { stat, zxid } = await again({ clock, signal }, (until) =>
        this.#client.exists(path, { signal: until }),
      );
      if (stat === undefined) this.#lose("deleted");
      else if (!signal.aborted) this.#follow(zxid);
    } catch (error) {
      // What the session has is told by the session; where the znode may not be read, nobody tells.
      if (!(error instanceof AbortedError) && !signal.aborted) await this.#lookAgain();
    }
  }

  #lose(because: LostBecause): void {
    if (this.#lost.signal.aborted) return;
    this.#stop();
    this.#lost.abort(new ClaimLostError(this.path, because));
    this.#deleted = deletedInTheEnd(this.#client, this.path);
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#unsubscribe();
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

function whenOver({ signal }: Client, over: () => void): () => void {
  if (signal.aborted) over();
  signal.addEventListener("abort", over, { once: true });
  return () => signal.removeEventListener("abort", over);
}
