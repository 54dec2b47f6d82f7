/** Which znodes of the source have changed since they were copied, as its change stream tells. */
import type { Client } from "../../client/connect.ts";
import { isAtOrBelow, parentOf } from "../../protocol/paths.ts";
import { quotaZnodeAt } from "../../protocol/quota.ts";
import { OWN_PATH } from "./walk.ts";

const PROGRESS_MS = 200;

export class Follow {
  /** Those whose changes have not been taken, in the order in which they came. */
  #changed = new Set<string>();
  #oldestMs: number | undefined;
  /** Changes were lost, so that both trees have to be compared. */
  hasGap = false;
  /** A quota was changed. */
  hasQuota = false;
  /** Changes that were seen, all of them. */
  changes = 0;
  /** Resolves when the stream has seen the whole tree: from then on it misses nothing. Rejects if it fails before. */
  readonly established: Promise<void>;
  readonly #established = Promise.withResolvers<void>();
  #isEstablished = false;
  /** Why nothing more is seen. */
  #failure: Error | undefined;
  readonly #withoutOwn: boolean;
  #wake: () => void = () => undefined;

  constructor(
    client: Client,
    { withoutOwn, signal }: { readonly withoutOwn: boolean; readonly signal: AbortSignal },
  ) {
    this.#withoutOwn = withoutOwn;
    this.established = this.#established.promise;
    this.established.catch(() => undefined);
    void this.#run(client, signal).catch((error: unknown) => {
      this.#failure = error as Error;
      this.#established.reject(error);
      this.#wake();
    });
  }

  /** How many milliseconds ago the oldest change came that was not taken. */
  get lagMs(): number {
    return this.#oldestMs === undefined ? 0 : performance.now() - this.#oldestMs;
  }

  /** Throws if the stream has failed. */
  take(): readonly string[] {
    if (this.#failure !== undefined) throw this.#failure;
    const changed = [...this.#changed];
    this.#changed = new Set();
    this.#oldestMs = undefined;
    return changed;
  }

  /** Waits for a change, a failure, or the time to pass. */
  async change(withinMs: number): Promise<void> {
    if (this.#changed.size > 0 || this.#failure !== undefined) return;
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = setTimeout(woken.resolve, withinMs);
    await woken.promise;
    clearTimeout(timer);
  }

  async #run(client: Client, signal: AbortSignal): Promise<void> {
    const options = { recursive: true, onGap: "emit", progressMs: PROGRESS_MS, signal } as const;
    for await (const event of client.changes("/", options)) {
      switch (event.kind) {
        case "progress":
          // What was lost before the stream had seen the tree is found by whoever compares after that.
          if (!this.#isEstablished) this.hasGap = false;
          this.#isEstablished = true;
          this.#established.resolve();
          break;
        case "gap":
          this.hasGap = true;
          break;
        default:
          this.changes += 1;
          this.#note(event);
      }
    }
    signal.throwIfAborted();
    throw new Error("the stream of changes has ended");
  }

  #note({
    kind,
    path,
    stat,
  }: {
    readonly kind: string;
    readonly path: string;
    readonly stat: { readonly ephemeralOwner: number };
  }): void {
    if (this.#withoutOwn && isAtOrBelow(path, OWN_PATH)) {
      if (quotaZnodeAt(path)?.kind === "limits") this.hasQuota = true;
      return;
    }
    // Ephemerals are left to their clients, but they count for the numbers of sequential znodes.
    if (stat.ephemeralOwner === 0) this.#changed.add(path);
    if (kind === "created") this.#changed.add(parentOf(path));
    if (this.#changed.size === 0) return;
    this.#oldestMs ??= performance.now();
    this.#wake();
  }
}
