/** Runs many programs, several at a time, on servers that are started once. */
import { type Comparison, compare, type Difference } from "./compare.ts";
import { programOf } from "./generate.ts";
import { linesOf } from "./lines.ts";
import type { Program } from "./program.ts";
import { type Address, run } from "./run.ts";
import { shrink } from "./shrink.ts";
import type { Servers, Target, TargetName } from "./targets.ts";

export type Found = {
  readonly seed: number;
  readonly target: TargetName;
  /** The smallest program that was found to differ, and where it does. */
  readonly program: Program;
  readonly difference: Difference;
};

export type Totals = {
  programs: number;
  steps: number;
  differences: number;
  readonly intended: Map<string, number>;
};

export type CampaignOptions = {
  readonly first: number;
  readonly programs: number;
  /** How many run at a time. */
  readonly atOnce: number;
  /** No further program begins after so many differences. */
  readonly differencesMax: number;
  readonly shrinks: boolean;
  readonly found: (found: Found) => void;
};

export class Campaign {
  readonly totals: Totals = { programs: 0, steps: 0, differences: 0, intended: new Map() };
  readonly #servers: Servers;
  readonly #options: CampaignOptions;
  #next: number;
  #runs = 0;

  constructor(servers: Servers, options: CampaignOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#next = options.first;
  }

  async run(): Promise<Totals> {
    await Promise.all(Array.from({ length: this.#options.atOnce }, () => this.#work()));
    return this.totals;
  }

  async #work(): Promise<void> {
    const { first, programs, differencesMax } = this.#options;
    while (this.#next < first + programs && this.totals.differences < differencesMax) {
      const seed = this.#next;
      this.#next += 1;
      await this.#runOne(seed);
    }
  }

  async #runOne(seed: number): Promise<void> {
    const program = programOf(seed);
    const { reference, targets } = this.#servers;
    const [theirs, ...all] = await Promise.all(
      [reference, ...targets].map((address) => this.#linesOn(program, address)),
    );
    if (theirs === undefined) return;
    this.totals.programs += 1;
    this.totals.steps += program.steps.length;
    for (const [index, ours] of all.entries()) {
      const target = targets[index];
      const { differences, intended } = compare(program, theirs, ours);
      for (const name of intended) {
        this.totals.intended.set(name, (this.totals.intended.get(name) ?? 0) + 1);
      }
      const [difference] = differences;
      if (difference === undefined || target === undefined) continue;
      this.totals.differences += 1;
      await this.#report({ seed, target, program, difference });
    }
  }

  async #report(of: {
    readonly seed: number;
    readonly target: Target;
    readonly program: Program;
    readonly difference: Difference;
  }): Promise<void> {
    const { seed, target, program, difference } = of;
    let found: Found = { seed, target: target.name, program, difference };
    if (this.#options.shrinks) {
      const upTo = { ...program, steps: program.steps.slice(0, difference.step + 1) };
      await shrink(upTo, async (smaller) => {
        const [again] = (await this.#compareOn(smaller, target)).differences;
        if (again === undefined) return false;
        found = { ...found, program: smaller, difference: again };
        return true;
      });
    }
    this.#options.found(found);
  }

  async #compareOn(program: Program, target: Target): Promise<Comparison> {
    const [theirs, ours] = await Promise.all([
      this.#linesOn(program, this.#servers.reference),
      this.#linesOn(program, target),
    ]);
    return compare(program, theirs, ours);
  }

  async #linesOn(program: Program, address: Address): ReturnType<typeof linesIn> {
    this.#runs += 1;
    return linesIn(program, address, `/d${this.#runs}`);
  }
}

async function linesIn(
  program: Program,
  address: Address,
  base: string,
): Promise<ReturnType<typeof linesOf>> {
  return linesOf(await run(program, address, base));
}
