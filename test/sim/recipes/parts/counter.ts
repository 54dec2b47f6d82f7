/**
 * Counters: the number is what all changes make that were done, and of those in doubt some; no two changes made the same number.
 */
import type { Counter } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import type { Violated } from "../holders.ts";
import {
  isOutcome,
  overAndOver,
  type Part,
  type Surroundings,
  type User,
  violatedAt,
} from "../part.ts";

const PATH = "/counts/all";

export class CounterPart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  /** The numbers that a change has passed over or made. */
  readonly #made = new Set<bigint>();
  readonly #doubtful: number[] = [];

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("counter", surroundings);
  }

  async prepare(): Promise<void> {
    // It is 0 where there is none.
  }

  async use(user: User): Promise<void> {
    const counter = user.client.counter(PATH);
    await overAndOver(user, 500, async () => {
      const isAdd = user.random.random() < 0.8;
      const by = isAdd ? 1 + Math.floor(user.random.random() * 3) : 1;
      try {
        const now = isAdd ? await counter.add(by) : await swapped(counter);
        if (now !== undefined) this.#counted(now, by);
      } catch (error) {
        if (isOutcome(error) && error.maybeApplied !== "no") this.#doubtful.push(by);
        throw error;
      }
    });
  }

  #counted(now: bigint, by: number): void {
    this.#surroundings.figures.add("changes of the counter");
    for (let number = now; number > now - BigInt(by); number -= 1n) {
      if (this.#made.has(number)) this.#violated(`two changes have made ${number}`);
      this.#made.add(number);
    }
  }

  async checkEnd(_users: readonly User[], witness: Client): Promise<void> {
    const value = await witness.counter(PATH).value({ consistency: "linearizable" });
    const doubt = Number(value) - this.#made.size;
    const sums = new Set([0]);
    for (const by of this.#doubtful) for (const sum of [...sums]) sums.add(sum + by);
    if (sums.has(doubt)) return;
    const doubts = this.#doubtful.join(", ");
    this.#violated(`it is ${value} after ${this.#made.size} and perhaps some of ${doubts}`);
  }
}

/** What it is then, if it was this client that has set it. */
async function swapped(counter: Counter): Promise<bigint | undefined> {
  const from = await counter.value();
  return (await counter.compareAndSet({ from, to: from + 1n })) ? from + 1n : undefined;
}
