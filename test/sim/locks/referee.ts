/**
 * Sees every right that is given, at the true time, and guards two resources: one outside of the ensemble, which refuses fences below the
 * largest that it has seen, and one inside, which is written in transactions.
 */
import type { Client, TestEnsemble } from "../../../testing/ensemble.ts";
import { Violation } from "../checks/violation.ts";
import type { CampaignResult } from "./campaign.ts";

export type Right = {
  readonly fence: bigint;
  readonly signal: AbortSignal;
  readonly remainingMs: number;
};

type Grant = { readonly right: Right; readonly isPaused: () => boolean };

export const RIGHTS = ["/locks/one", "/election/one"] as const;
export type RightPath = (typeof RIGHTS)[number];

/** A store that knows fences: a read counts as being seen, too. */
class Outside {
  value = 0;
  writes = 0;
  refusals = 0;
  #largest = 0n;

  read(fence: bigint): number | undefined {
    if (!this.#takes(fence)) return undefined;
    return this.value;
  }

  write(fence: bigint, value: number): void {
    if (!this.#takes(fence)) return;
    this.value = value;
    this.writes += 1;
  }

  #takes(fence: bigint): boolean {
    if (fence < this.#largest) {
      this.refusals += 1;
      return false;
    }
    this.#largest = fence;
    return true;
  }
}

export class Referee {
  readonly #ensemble: TestEnsemble;
  readonly #grants = new Map<RightPath, Grant[]>(RIGHTS.map((path) => [path, []]));
  readonly outside: ReadonlyMap<RightPath, Outside> = new Map(
    RIGHTS.map((path) => [path, new Outside()]),
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

  get result(): CampaignResult {
    const { grants, losses } = this;
    const refusals = [...this.outside.values()].reduce((sum, each) => sum + each.refusals, 0);
    return { grants, losses, refusals };
  }

  violated(what: string): never {
    throw new Violation("lock safety", `${what}, at ${this.#ensemble.nowMs} ms`);
  }

  /** Called as soon as a client has been told that the right is its own. */
  granted(path: RightPath, right: Right, isPaused: () => boolean): void {
    this.grants += 1;
    const all = this.#grants.get(path) ?? [];
    for (const other of all) {
      if (other.right.fence >= right.fence) this.violated(`a fence of ${path} did not grow`);
      if (!other.right.signal.aborted && !other.isPaused()) {
        this.violated(`two hold ${path}: the signal of the earlier has not aborted`);
      }
    }
    all.push({ right, isPaused });
  }

  /** Called by code of a holder, which runs because the signal has not aborted: nobody may hold it who came later. */
  isAlone(path: RightPath, right: Right): void {
    for (const other of this.#grants.get(path) ?? []) {
      if (other.right.fence <= right.fence) continue;
      this.violated(`a holder of ${path} goes on although another has held it since`);
    }
  }

  async checkEnd(): Promise<void> {
    const client = await this.#ensemble.connect();
    for (const path of RIGHTS) {
      const { value, writes } = this.outside.get(path) as Outside;
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
