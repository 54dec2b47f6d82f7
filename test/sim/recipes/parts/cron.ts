/**
 * Work by the clock: a planned time that was run runs nowhere else, an earlier one does not run after a later one, two runs are never under way
 * and valid, and where nothing fails each time is run.
 */
import type { CronJob, CronRun, Run } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import { Guarded } from "../guarded.ts";
import type { Violated } from "../holders.ts";
import { noting, type Part, type Surroundings, type User, violatedAt } from "../part.ts";

const PATH = "/cron/all";
const PATTERN = "*/3 * * * * *";
const PERIOD_MS = 3_000;
const PERIODS = 4;
/** How far wall clocks differ, in milliseconds, either way. */
const SKEW_MS = 700;

class OfTheWork extends Error {
  override readonly name = "OfTheWork";
}

/** What the work of an instance has done for the time that it is at. */
type Begun = { readonly fence: bigint; readonly isValid: boolean; readonly latest: number };

export class CronPart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #guarded: Guarded;
  readonly #jobs = new Map<User, CronJob>();
  /** The fence of each time that was run for good. */
  readonly #ran = new Map<number, bigint>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("cron", surroundings);
    this.#guarded = new Guarded(PATH, this.#violated);
  }

  async prepare(): Promise<void> {
    // The first instance makes what it needs.
  }

  async use(user: User): Promise<void> {
    const skewMs = (user.random.random() * 2 - 1) * SKEW_MS;
    const wallMs = (): number => Math.floor(this.#surroundings.ensemble.nowMs + skewMs);
    let begun: Begun | undefined;
    const work = async (run: Run): Promise<void> => {
      begun = { fence: run.fence, isValid: !run.signal.aborted, latest: this.#latest() };
      this.#surroundings.figures.add("runs of cron");
      const release = user.holds();
      try {
        await this.#guarded.use(
          user,
          run,
          user.goesOn() && user.random.random() < 0.15 ? 5_000 : 300,
        );
      } finally {
        release();
      }
      if (user.random.random() < 0.1) throw new OfTheWork();
    };
    const job = user.client.cron(PATH, PATTERN, work, { wallMs });
    this.#jobs.set(user, job);
    const look = noting((run: CronRun) => {
      const of = begun;
      begun = undefined;
      this.#told(run, of);
    });
    job.runs$.subscribe(look);
  }

  #latest(): number {
    return Math.max(-Infinity, ...this.#ran.keys());
  }

  #told(run: CronRun, begun: Begun | undefined): void {
    const planned = run.planned.getTime();
    if (begun?.isValid === true && begun.latest >= planned) {
      this.#violated(`${planned} was begun after ${begun.latest} had run`);
    }
    const isOver = run.kind === "ran" || (run.kind === "failed" && run.error instanceof OfTheWork);
    if (!isOver) return;
    if (begun === undefined) this.#violated(`${planned} has "${run.kind}" without a run`);
    if (this.#ran.has(planned)) this.#violated(`${planned} has run twice`);
    for (const [other, fence] of this.#ran) {
      if (other < planned === fence < begun.fence) continue;
      this.#violated(`${planned} has run before ${other}, by their fences`);
    }
    this.#ran.set(planned, begun.fence);
  }

  async checkEnd(users: readonly User[], witness: Client): Promise<void> {
    const { ensemble } = this.#surroundings;
    await ensemble.advance(2 * PERIOD_MS);
    const fromMs = ensemble.nowMs + SKEW_MS;
    await ensemble.advance(PERIODS * PERIOD_MS + 2 * SKEW_MS);
    if (users.length > 0) {
      const first = Math.ceil(fromMs / PERIOD_MS) * PERIOD_MS;
      for (let time = first; time < first + (PERIODS - 1) * PERIOD_MS; time += PERIOD_MS) {
        if (!this.#ran.has(time)) this.#violated(`${time} was run by nobody`);
      }
    }
    const stopping = users.map(async (user) => this.#jobs.get(user)?.[Symbol.asyncDispose]());
    await ensemble.until(Promise.all(stopping));
    await this.#guarded.checkEnd(witness);
  }
}
