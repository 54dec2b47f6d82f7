/**
 * Sees every right that is given, at the true time, and guards two resources: one outside of the ensemble, which refuses fences below the
 * largest that it has seen, and one inside, which is written in transactions.
 */
import type { Client, TestEnsemble } from "../../../../testing/ensemble.ts";
import { FencedStore, Holders, type Right } from "../holders.ts";
import { Violation } from "../../checks/violation.ts";
import { Figures } from "../part.ts";

export type HeldRight = Right & { readonly remainingMs: number };

export const RIGHTS = ["/locks/one", "/election/one"] as const;
export type RightPath = (typeof RIGHTS)[number];

export class Referee {
  readonly #ensemble: TestEnsemble;
  readonly #holders = new Map<RightPath, Holders>(
    RIGHTS.map((path) => [path, new Holders(path, (what) => this.violated(what))]),
  );
  readonly outside: ReadonlyMap<RightPath, FencedStore> = new Map(
    RIGHTS.map((path) => [path, new FencedStore()]),
  );
  /** How many increments inside were done for certain, and how many may have been. */
  readonly inside: ReadonlyMap<RightPath, { done: number; doubtful: number }> = new Map(
    RIGHTS.map((path) => [path, { done: 0, doubtful: 0 }]),
  );
  grants = 0;
  losses = 0;

  constructor(ensemble: TestEnsemble) {
    this.#ensemble = ensemble;
  }

  get figures(): Figures {
    const figures = new Figures();
    figures.add("rights given", this.grants);
    figures.add("rights lost", this.losses);
    for (const { refusals } of this.outside.values()) figures.add("late writes refused", refusals);
    return figures;
  }

  violated(what: string): never {
    throw new Violation("lock safety", `${what}, at ${this.#ensemble.nowMs} ms`);
  }

  /** Called as soon as a client has been told that the right is its own. */
  granted(path: RightPath, right: HeldRight, isPaused: () => boolean): void {
    this.grants += 1;
    this.#holders.get(path)?.granted(right, isPaused);
  }

  /** Called by code of a holder, which runs because the signal has not aborted: nobody may hold it who came later. */
  isAlone(path: RightPath, right: HeldRight): void {
    this.#holders.get(path)?.isAlone(right);
  }

  async checkEnd(): Promise<void> {
    const client = await this.#ensemble.connect();
    for (const path of RIGHTS) {
      const { value, writes } = this.outside.get(path) as FencedStore;
      if (value !== writes) this.violated(`${path}: ${writes} writes outside made ${value}`);
      const { done = 0, doubtful = 0 } = this.inside.get(path) ?? {};
      const inside = await valueAt(client, statePath(path));
      if (inside < done || inside > done + doubtful) {
        this.violated(`${path}: ${done} writes inside, and ${doubtful} in doubt, made ${inside}`);
      }
      const { stat } = await client.exists(path, { consistency: "linearizable" });
      const left = stat?.numChildren ?? 0;
      if (left > 0) this.violated(`${path}: ${left} znodes are left of those who have gone`);
    }
  }
}

export function statePath(path: RightPath): string {
  return `/state${path.replaceAll("/", "-")}`;
}

export async function valueAt(client: Client, path: string): Promise<number> {
  const { stat } = await client.exists(path);
  if (stat === undefined) return 0;
  const { data } = await client.get(path);
  return Number(new TextDecoder().decode(data ?? undefined));
}
