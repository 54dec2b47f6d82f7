/**
 * Work by the clock, on one of all instances that plan it. Each instance waits for the planned time by its own clock; the planned time itself
 * is the tick of `once.ts`, so clocks that differ do not make it run twice.
 */
import { Cron } from "croner";
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import { checkOptions, checkText } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import type { Client } from "../client.ts";
import { pause } from "./again.ts";
import { oncePer, type Work } from "./once.ts";

/** The longest sleep, so that a wall clock that was set is noticed. */
const SLEEP_MS_MAX = 60_000;

/** By which clock times are planned. */
export type CronOptions = {
  /** As the time zone database names it: `Europe/Berlin`. Default: that of the process. */
  readonly timeZone?: string | undefined;
  /** Unix milliseconds of the wall clock. Default `Date.now`. */
  readonly wallMs?: (() => number) | undefined;
};

/** What became of a time at this instance. `planned` is the moment for which it was planned, not the one at which it began. */
export type CronRun =
  /** The work has run here, to its end. */
  | { readonly kind: "ran"; readonly planned: Date }
  /** Another instance has run it, or a later one was begun already. */
  | { readonly kind: "elsewhere"; readonly planned: Date }
  /** The work threw here, or the ensemble refused. It does not run again for this time. */
  | { readonly kind: "failed"; readonly planned: Date; readonly error: unknown };

/**
 * Work that runs at the times of a pattern, each time on one of all instances that plan it at the same path. It begins when it is made, and
 * ends with `await using` or with the session. When the instance that runs it dies, another one runs it again for the same time, with a
 * larger fence. Times that pass while it runs are left out.
 */
export class CronJob implements AsyncDisposable {
  /** What became of each planned time, as this instance sees it. It completes when the job is stopped, or its session is over. */
  readonly runs$: Observable<CronRun>;
  readonly #client: Client;
  readonly #path: string;
  readonly #pattern: Cron;
  readonly #wallMs: () => number;
  readonly #work: Work<unknown>;
  readonly #runs = new Subject<CronRun>();
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  readonly #ended: Promise<void>;

  constructor(
    client: Client,
    { path, pattern }: { readonly path: string; readonly pattern: string },
    work: Work<unknown>,
    options: CronOptions = {},
  ) {
    checkText("a pattern", pattern);
    checkOptions("options", options);
    const { timeZone, wallMs = Date.now } = options;
    this.#client = client;
    this.#path = path;
    this.#pattern = patternOf(pattern, timeZone);
    this.#wallMs = wallMs;
    this.#work = work;
    this.#signal = AbortSignal.any([this.#stopped.signal, client.signal]);
    this.runs$ = this.#runs.asObservable();
    this.#ended = this.#run();
  }

  /** The next planned time; undefined: there is none. */
  get next(): Date | undefined {
    return this.#pattern.nextRun(new Date(this.#wallMs())) ?? undefined;
  }

  /** Plans nothing any more, aborts the `signal` of a run that is under way, and resolves when that has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { clock } = this.#client.wire;
    for (let planned = this.next; planned !== undefined; planned = this.next) {
      while (!this.#signal.aborted) {
        const leftMs = planned.getTime() - this.#wallMs();
        if (leftMs <= 0) break;
        await pause(clock, Math.min(leftMs, SLEEP_MS_MAX), this.#signal);
      }
      if (this.#signal.aborted) break;
      this.#runs.next(await this.#ran(planned));
    }
    this.#runs.complete();
  }

  async #ran(planned: Date): Promise<CronRun> {
    let failure: { readonly error: unknown } | undefined;
    const work: Work<null> = async (run) => {
      try {
        await this.#work({ ...run, signal: AbortSignal.any([run.signal, this.#stopped.signal]) });
      } catch (error) {
        failure = { error };
      }
      return null;
    };
    try {
      const tick = { path: this.#path, tick: planned.getTime() };
      const outcome = await oncePer(this.#client, tick, work, { signal: this.#signal });
      if (failure !== undefined) return { kind: "failed", planned, error: failure.error };
      const isOurs = outcome.kind === "done" && outcome.ranHere;
      return { kind: isOurs ? "ran" : "elsewhere", planned };
    } catch (error) {
      return { kind: "failed", planned, error };
    }
  }
}

function patternOf(pattern: string, timezone: string | undefined): Cron {
  try {
    const cron = new Cron(
      pattern,
      timezone === undefined ? { paused: true } : { paused: true, timezone },
    );
    // A time zone that does not exist is told only when it is used.
    cron.nextRun();
    return cron;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new BadArgumentsError(`"${pattern}" is no pattern: ${message}`, { cause: error });
  }
}
