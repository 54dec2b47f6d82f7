/**
 * Rate limits: in no time do all clients together take more than the rate gives in it, the burst, and what each of them had taken before;
 * and after a quiet time the whole burst is there again.
 */
import type { RateLimit } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import type { Violated } from "../holders.ts";
import { overAndOver, type Part, type Surroundings, type User, violatedAt } from "../part.ts";

const PATH = "/rates/all";
const FIGURES = { perSecond: 5, burst: 8, reserve: 2, leaseMs: 1_000 } as const;
const PROCESSES = 3;

export class RateLimitPart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #limits = new Map<User, RateLimit>();
  readonly #taken: { readonly atMs: number; readonly count: number }[] = [];
  /** When the bucket was made, or before. */
  #madeMs = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("rate limit", surroundings);
  }

  async prepare(): Promise<void> {
    this.#madeMs = this.#surroundings.ensemble.nowMs;
  }

  async use(user: User): Promise<void> {
    const limit = user.client.rateLimit(PATH, FIGURES);
    this.#limits.set(user, limit);
    await overAndOver(user, 250, async () => {
      const waitMs = user.random.random() < 0.3 ? 700 : 0;
      await this.#take(limit, 1 + Math.floor(user.random.random() * 2), waitMs);
    });
  }

  async #take(limit: RateLimit, count: number, waitMs: number): Promise<boolean> {
    const isGiven = await limit.take(count, { waitMs });
    if (!isGiven) return false;
    this.#surroundings.figures.add("tokens", count);
    this.#taken.push({ atMs: this.#surroundings.ensemble.nowMs, count });
    this.#check();
    return true;
  }

  /** All times that end now. What counts is the leader's clock, which a client's may be ahead of. */
  #check(): void {
    const { ensemble, drift } = this.#surroundings;
    const { perSecond, burst, reserve } = FIGURES;
    const perMs = (perSecond * (1 + drift)) / 1_000;
    const mostFrom = (ms: number): number => (ensemble.nowMs - ms) * perMs + burst;
    const aheadMs = this.#aheadMs();
    let sum = 0;
    for (const { atMs, count } of this.#taken.toReversed()) {
      sum += count;
      const before = PROCESSES * reserve;
      if (sum > mostFrom(atMs) + before + aheadMs * perMs) {
        this.#violated(`${sum} tokens within ${ensemble.nowMs - atMs} ms`);
      }
    }
    if (sum > mostFrom(this.#madeMs) + aheadMs * perMs) {
      this.#violated(`${sum} tokens within all of ${ensemble.nowMs - this.#madeMs} ms`);
    }
  }

  /** A client that has not heard of the leader's clock for long may be ahead of it by that. The clock shows whole milliseconds. */
  #aheadMs(): number {
    const { ensemble, drift } = this.#surroundings;
    return drift * (ensemble.nowMs - this.#madeMs) + 1;
  }

  async checkEnd(users: readonly User[], _witness: Client): Promise<void> {
    const { ensemble } = this.#surroundings;
    for (const user of users) {
      const limit = this.#limits.get(user);
      if (limit === undefined) continue;
      const burstMs = (FIGURES.burst / FIGURES.perSecond) * 1_000;
      await ensemble.advance(burstMs + this.#aheadMs());
      const isGiven = await this.#take(limit, FIGURES.burst, 1_000);
      if (!isGiven) this.#violated(`${user.name} does not get the burst after a quiet time`);
    }
  }
}
