/** What a right guards: a store outside of the ensemble that knows fences, and a number inside that is counted in transactions. */
import type { Condition } from "../../../client/connect.ts";
import { ZooidError } from "../../../protocol/errors.ts";
import type { Client } from "../../../testing/ensemble.ts";
import { FencedStore, Holders, type Right, type Violated } from "./holders.ts";
import { rest, type User } from "./part.ts";

export class Guarded {
  readonly #holders: Holders;
  readonly #store = new FencedStore();
  readonly #name: string;
  readonly #state: string;
  readonly #violated: Violated;
  #done = 0;
  #doubtful = 0;

  constructor(name: string, violated: Violated) {
    this.#name = name;
    this.#state = `/state${name.replaceAll("/", "-")}`;
    this.#violated = violated;
    this.#holders = new Holders(name, violated);
  }

  get refusals(): number {
    return this.#store.refusals;
  }

  /** Uses the right as a program does that does not look at its signal: the fence and the condition are to hold it up. */
  async use(
    user: User,
    right: Right & { readonly isHeld: Condition },
    restMs: number,
  ): Promise<void> {
    const over = right.signal.aborted ? undefined : this.#holders.granted(right, user.isPaused);
    const before = this.#store.read(right.fence);
    await this.#increment(user.client, right.isHeld);
    // Whatever comes from the ensemble comes after the signal.
    if (!right.signal.aborted) this.#holders.isAlone(right);
    await rest(user, restMs);
    if (before !== undefined) this.#store.write(right.fence, before + 1);
    over?.();
  }

  async #increment(client: Client, isHeld: Condition): Promise<void> {
    try {
      const now = await valueAt(client, this.#state);
      const next = String((now ?? 0) + 1);
      await client
        .transaction((t) => [
          now === undefined ? t.create(this.#state, next) : t.set(this.#state, next),
        ])
        .if(isHeld)
        .commit();
      this.#done += 1;
    } catch (error) {
      if (!(error instanceof ZooidError)) throw error;
      if (error.maybeApplied !== "no") this.#doubtful += 1;
    }
  }

  async checkEnd(witness: Client): Promise<void> {
    const { value, writes } = this.#store;
    if (value !== writes) this.#violated(`${this.#name}: ${writes} writes outside made ${value}`);
    const inside = (await valueAt(witness, this.#state)) ?? 0;
    const [done, doubtful] = [this.#done, this.#doubtful];
    if (inside >= done && inside <= done + doubtful) return;
    this.#violated(`${this.#name}: ${done} writes inside, ${doubtful} in doubt, made ${inside}`);
  }
}

async function valueAt(client: Client, path: string): Promise<number | undefined> {
  const { stat } = await client.exists(path);
  if (stat === undefined) return undefined;
  const { data } = await client.get(path);
  return Number(new TextDecoder().decode(data ?? undefined));
}
