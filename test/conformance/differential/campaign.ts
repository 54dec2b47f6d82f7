/** Runs many programs, several at a time, on servers that are started once. */
import { type Comparison, compare, type Difference } from "./compare.ts";
import { Coverage } from "./coverage.ts";
import { programOf } from "./generate.ts";
import { type Lines, linesOf } from "./lines.ts";
import type { Program } from "./program.ts";
import { isServing } from "./gate.ts";
import { type Place, placeOf } from "./places.ts";
import { type Node, run } from "./run.ts";
import { shrink } from "./shrink.ts";
import type { Servers, Sides } from "./targets.ts";

export type Found = {
  readonly seed: number;
  readonly place: Place;
  /** The smallest program that was found to differ, and where it does. */
  readonly program: Program;
  readonly difference: Difference;
};

export type Totals = {
  programs: number;
  steps: number;
  differences: number;
  /** What ZooKeeper answered. */
  readonly coverage: Coverage;
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

/** Its threads serve some sessions each. */
const PROOFS = 3;

export class Campaign {
  readonly totals: Totals = {
    ...{ programs: 0, steps: 0, differences: 0 },
    ...{ coverage: new Coverage(), intended: new Map() },
  };
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
    const place = placeOf(seed, [...this.#servers.places.keys()]);
    const program = programOf(seed, place);
    const sides = this.#servers.places.get(place);
    if (sides === undefined) throw new Error(`no server for seed ${seed}`);
    const { theirs, ours } = await this.#linesOn(program, sides);
    const { differences, intended } = compare(program, theirs, ours);
    this.totals.programs += 1;
    this.totals.steps += program.steps.length;
    this.totals.coverage.add(program, theirs);
    for (const name of intended) {
      this.totals.intended.set(name, (this.totals.intended.get(name) ?? 0) + 1);
    }
    const [difference] = differences;
    if (difference === undefined) return;
    await this.#proveServing(seed, sides.theirs);
    this.totals.differences += 1;
    await this.#report({ seed, place, program, difference }, sides);
  }

  /** Throws if ZooKeeper serves no more: then nothing can be compared with it, and some program is to blame. */
  async #proveServing(seed: number, theirs: readonly Node[]): Promise<void> {
    const sessions = theirs.flatMap((node) => Array.from({ length: PROOFS }, () => node));
    const serving = await Promise.all(sessions.map((node) => isServing(node)));
    if (serving.every((each) => each)) return;
    throw new Error(`ZooKeeper serves no more: seed ${seed}, or one begun before it, is to blame`);
  }

  async #report(first: Found, sides: Sides): Promise<void> {
    const { program, difference } = first;
    let found = first;
    if (this.#options.shrinks) {
      const upTo = { ...program, steps: program.steps.slice(0, difference.step + 1) };
      await shrink(upTo, async (smaller) => {
        const [again] = (await this.#compareOn(smaller, sides)).differences;
        if (again === undefined) return false;
        found = { ...found, program: smaller, difference: again };
        return true;
      });
    }
    this.#options.found(found);
  }

  async #compareOn(program: Program, sides: Sides): Promise<Comparison> {
    const { theirs, ours } = await this.#linesOn(program, sides);
    return compare(program, theirs, ours);
  }

  async #linesOn(program: Program, sides: Sides): Promise<Record<"theirs" | "ours", Lines>> {
    this.#runs += 1;
    const base = `/d${this.#runs}`;
    const linesOf = (nodes: readonly Node[]): Promise<Lines> => linesIn(program, nodes, base);
    const [theirs, ours] = await Promise.all([linesOf(sides.theirs), linesOf(sides.ours)]);
    return { theirs, ours };
  }
}

async function linesIn(program: Program, nodes: readonly Node[], base: string): Promise<Lines> {
  return linesOf(await run(program, nodes, base));
}
