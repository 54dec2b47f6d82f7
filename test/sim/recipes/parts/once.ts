/**
 * `once`: two runs are never under way and valid, all who ask get the result of one run, the work does not run again once somebody has it, and
 * the result of a run that was refused is given to nobody.
 */
import type { Run } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import { Guarded } from "../guarded.ts";
import type { Violated } from "../holders.ts";
import {
  isOutcome,
  overAndOver,
  type Part,
  type Surroundings,
  type User,
  violatedAt,
} from "../part.ts";

type Runs = {
  readonly path: string;
  readonly guarded: Guarded;
  readonly refused: Set<string>;
  /** What was given to somebody. */
  result: string | undefined;
  asked: number;
  runs: number;
};

class OfTheWork extends Error {
  override readonly name = "OfTheWork";
}

/** After so many answers nobody asks for the same. */
const ASKED = 4;

export class OncePart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #all: Runs[] = [];

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("once", surroundings);
  }

  async prepare(): Promise<void> {
    this.#next();
  }

  async use(user: User): Promise<void> {
    await overAndOver(user, 600, async () => {
      const last = this.#all.at(-1) as Runs;
      const runs = last.asked < ASKED ? last : this.#next();
      const ran = { result: undefined as string | undefined };
      try {
        const waitMs = user.random.random() < 0.3 ? 500 : 5_000;
        const work = async (run: Run): Promise<string> => {
          ran.result = await this.#work(user, runs, run);
          return ran.result;
        };
        const result = await user.client.once(runs.path, work, { waitMs });
        this.#given(runs, result);
      } catch (error) {
        if (error instanceof OfTheWork) return;
        if (!isOutcome(error)) throw error;
        if (ran.result !== undefined && error.maybeApplied === "no") {
          this.#surroundings.figures.add("results refused");
          runs.refused.add(ran.result);
          if (runs.result === ran.result) this.#violated(`${runs.path}: a refused result`);
        }
      }
    });
  }

  #next(): Runs {
    const path = `/once/${this.#all.length}`;
    const guarded = new Guarded(path, this.#violated);
    const runs = {
      path,
      guarded,
      refused: new Set<string>(),
      result: undefined,
      asked: 0,
      runs: 0,
    };
    this.#all.push(runs);
    return runs;
  }

  async #work(user: User, runs: Runs, run: Run): Promise<string> {
    this.#surroundings.figures.add("runs of once");
    if (runs.result !== undefined && !run.signal.aborted) {
      this.#violated(`${runs.path} runs again although somebody has its result`);
    }
    const release = user.holds();
    try {
      await runs.guarded.use(user, run, user.random.random() < 0.2 ? 5_000 : 400);
    } finally {
      release();
    }
    if (user.random.random() < 0.15) throw new OfTheWork();
    runs.runs += 1;
    return `${runs.path} of ${user.name}, ${runs.runs}`;
  }

  #given(runs: Runs, result: string): void {
    runs.asked += 1;
    if (runs.refused.has(result)) this.#violated(`${runs.path}: a refused result is given`);
    runs.result ??= result;
    if (runs.result !== result) {
      this.#violated(`${runs.path} has two results, ${runs.result} and ${result}`);
    }
  }

  async checkEnd(_users: readonly User[], witness: Client): Promise<void> {
    for (const runs of this.#all) {
      await runs.guarded.checkEnd(witness);
      if (runs.result === undefined) continue;
      const again = (): never => this.#violated(`${runs.path} runs again`);
      this.#given(runs, await witness.once(runs.path, again, { waitMs: 20_000 }));
    }
  }
}
