/**
 * An election: one leads at a time, those who stand for it in the order in which they came. Sources: Curator's LeaderLatch and
 * LeaderSelector, kazoo's Election, in whose layouts it stands.
 */
import { Observable } from "rxjs/internal/Observable";
import type { Acl } from "../../protocol/acl.ts";
import { checkCallOptions, checkOptions, checkPath, checkText } from "../../protocol/arguments.ts";
import { AbortedError, BadArgumentsError, NoNodeError } from "../../protocol/errors.ts";
import { childOf } from "../../protocol/paths.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Client } from "../client.ts";
import type { Condition } from "../conditions.ts";
import { again } from "./again.ts";
import type { Claim } from "./claim.ts";
import { type Line, membersOf, standIn } from "./line.ts";
import { CURATOR_LOCK, KAZOO_LOCK, oneAtATime } from "./lock.ts";
import { Wait } from "./wait.ts";

/** How somebody stands for election. */
export type ElectionOptions = {
  /** Who stands for election, for those who look who leads. Default: nothing. */
  readonly name?: string;
  /** Who may do what with the znodes that are made for it. Default: everybody everything. */
  readonly acl?: readonly Acl[];
  /** Whose names the znodes have: Curator's LeaderLatch or LeaderSelector, or kazoo's Election. Default `latch`. */
  readonly layout?: "latch" | "selector" | "kazoo";
};

/** Who leads, as those see it who ask for `leader$`. */
export type Leader = {
  /** What the leader has given as its `name`; empty if it has given none. */
  readonly name: string;
  /** That of its term. */
  readonly fence: bigint;
  /** The znode that stands for it. */
  readonly path: string;
};

const LATCH = "latch-";
const MARKERS: readonly string[] = [LATCH, CURATOR_LOCK, KAZOO_LOCK];
const LAYOUTS: Readonly<
  Record<NonNullable<ElectionOptions["layout"]>, (unique: string) => string>
> = {
  latch: (unique) => `_c_${unique}-${LATCH}`,
  selector: (unique) => `_c_${unique}-${CURATOR_LOCK}`,
  kazoo: (unique) => `${unique}${KAZOO_LOCK}`,
};

/** The time for which one leads. What it has is a claim's, see there. */
export class Term {
  readonly #claim: Claim;

  constructor(claim: Claim) {
    this.#claim = claim;
  }

  /** Larger than that of every earlier term. */
  get fence(): bigint {
    return this.#claim.fence;
  }

  /** Aborts when the term ends, before anybody else can lead. */
  get signal(): AbortSignal {
    return this.#claim.signal;
  }

  /** For transactions: nothing of it is done unless the term lasts at that moment. */
  get isHeld(): Condition {
    return this.#claim.isHeld;
  }

  /** Milliseconds for which nobody else can lead, whatever happens; 0 once the term has ended. */
  get remainingMs(): number {
    return this.#claim.remainingMs;
  }

  /** Ends the term. Resolves when another may lead. */
  async resign(): Promise<void> {
    await this.#claim.release();
  }

  /** The same as `resign`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.resign();
  }
}

/**
 * An election at a path: of all who stand for it one leads at a time, in the order in which they came. Sources: Curator's LeaderLatch and
 * LeaderSelector, kazoo's Election.
 */
export class Election {
  /**
   * Who leads, as this client sees it: now, and whenever it changes; undefined while nobody does. It may be late, so it is for
   * those who show it or call the leader, not for those who lead. It errors when the session expires or the client is closed.
   */
  readonly leader$: Observable<Leader | undefined>;
  readonly #client: Client;
  readonly #line: Line;

  constructor(client: Client, path: string, options: ElectionOptions = {}) {
    checkPath(path);
    checkOptions("options", options);
    const { name = "", acl, layout = "latch" } = options;
    checkText("`name`", name);
    const nameFor = LAYOUTS[layout];
    if (nameFor === undefined) {
      throw new BadArgumentsError('`layout` is "latch", "selector" or "kazoo"');
    }
    this.#client = client;
    this.#line = { path, data: name, acl, markers: MARKERS, nameFor, blockerOf: oneAtATime };
    this.leader$ = new Observable((subscriber) => {
      const left = new AbortController();
      this.#follow((leader) => subscriber.next(leader), left.signal).catch((error: unknown) => {
        if (!left.signal.aborted) subscriber.error(error);
      });
      return () => left.abort();
    });
  }

  /**
   * Stands for election, and gives each term that it wins:
   *
   *     for await (const term of client.election("/election/scheduler").terms({ signal })) {
   *       await runScheduler({ signal: term.signal, fence: term.fence });
   *     }
   *
   * The next round of the loop ends the term and stands again, behind all others who do. Leaving the loop resigns. When `signal` aborts,
   * the term ends, and then the loop. It throws SessionExpiredError or ClosedError when the session has ended.
   */
  async *terms(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Term, void, undefined> {
    checkCallOptions(options);
    const { signal } = options;
    while (signal?.aborted !== true) {
      const claim = await this.#won(signal);
      if (claim === undefined) return;
      const resign = (): void => void claim.release();
      signal?.addEventListener("abort", resign, { once: true });
      try {
        yield new Term(claim);
      } finally {
        signal?.removeEventListener("abort", resign);
        await claim.release();
      }
    }
  }

  async #won(signal: AbortSignal | undefined): Promise<Claim | undefined> {
    try {
      return await standIn(this.#client, this.#line, { signal });
    } catch (error) {
      if (error instanceof AbortedError && signal?.aborted === true) return undefined;
      throw error;
    }
  }

  async #follow(tell: (leader: Leader | undefined) => void, signal: AbortSignal): Promise<void> {
    const { path } = this.#line;
    using wait = new Wait(this.#client, path, { signal });
    let shown: Leader | undefined | null = null;
    try {
      for (;;) {
        const { leader, zxid } = await again(wait, (until) => this.#leader(until));
        if (shown === null || shown?.fence !== leader?.fence) tell(leader);
        shown = leader;
        const wish =
          leader === undefined
            ? { path, recursive: true, after: zxid }
            : { path: leader.path, recursive: false, after: zxid };
        await wait.untilChange(wish, ({ kind }) => kind !== "acl");
      }
    } catch (error) {
      throw wait.failure(error);
    }
  }

  async #leader(
    signal: AbortSignal,
  ): Promise<{ readonly leader: Leader | undefined; readonly zxid: Zxid }> {
    const { path, markers } = this.#line;
    for (;;) {
      try {
        const { children, zxid } = await this.#client.children(path, { signal });
        const [first] = membersOf(children, markers);
        if (first === undefined) return { leader: undefined, zxid };
        const member = childOf(path, first.name);
        const { data, stat, zxid: seen } = await this.#client.get(member, { signal });
        const name = data === null ? "" : new TextDecoder().decode(data);
        return { leader: { name, fence: BigInt(stat.czxid), path: member }, zxid: seen };
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      // The first has just left, or nobody has ever stood for this election.
      const { stat, zxid } = await this.#client.exists(path, { signal });
      if (stat === undefined) return { leader: undefined, zxid };
    }
  }
}
