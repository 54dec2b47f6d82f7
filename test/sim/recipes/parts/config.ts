/**
 * Live configuration: a follower never shows what is not a value, never goes back to an earlier one, and ends with the latest good one,
 * whatever has become of its node, its connection and its streams.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Config, json, key } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import type { Violated } from "../holders.ts";
import {
  noting,
  overAndOver,
  type Part,
  type Surroundings,
  type User,
  violatedAt,
} from "../part.ts";

type Value = { readonly n: number };

type Follower = { readonly config: Config<Value>; shown: number };

const PATH = "/config/all";
const BAD = ['{"n":', '{"n":"text"}', ""] as const;
/** Milliseconds in which a follower comes to what there is, once nothing fails. */
const PATIENCE_MS = 10_000;

const schema: StandardSchemaV1<Value> = {
  "~standard": {
    version: 1,
    vendor: "campaign",
    validate: (value) =>
      typeof (value as Partial<Value> | undefined)?.n === "number"
        ? { value: value as Value }
        : { issues: [{ message: "it has no number" }] },
  },
};
const App = key(PATH, { codec: json, schema });

export class ConfigPart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #followers = new Map<User, Follower>();
  /** By the number: the zxid of the write; undefined while it is in doubt. */
  readonly #written = new Map<number, number | undefined>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("config", surroundings);
  }

  async prepare(witness: Client): Promise<void> {
    await this.#write(witness);
  }

  async use(user: User): Promise<void> {
    const following = this.#follow(user);
    await overAndOver(user, 1_500, async () => {
      const draw = user.random.random();
      if (draw < 0.7) await this.#write(user.client);
      else if (draw < 0.95) await user.client.put(PATH, BAD[Math.floor(draw * 100) % 3] ?? "");
      else await user.client.delete(PATH);
    });
    await following;
  }

  async #write(client: Client): Promise<number> {
    const n = this.#written.size;
    this.#written.set(n, undefined);
    const { zxid } = await client.put(App, { n });
    this.#written.set(n, zxid);
    return n;
  }

  async #follow(user: User): Promise<void> {
    let config: Config<Value> | undefined;
    // There is no value at times.
    await overAndOver(user, 500, async () => {
      if (config !== undefined) return;
      config = await user.client.config(App);
      this.#watch(user, config);
    });
  }

  #watch(user: User, config: Config<Value>): void {
    const follower: Follower = { config, shown: config.value.n };
    this.#followers.set(user, follower);
    const look = noting(({ n }: Value) => {
      this.#surroundings.figures.add("values of the configuration");
      if (!this.#written.has(n)) this.#violated(`it shows what was never written: ${n}`);
      const [now, before] = [this.#written.get(n), this.#written.get(follower.shown)];
      if (now !== undefined && before !== undefined && now < before) {
        this.#violated(`${user.name} goes back from ${follower.shown} to ${n}`);
      }
      follower.shown = n;
    });
    config.value$.subscribe(look);
  }

  async checkEnd(users: readonly User[], witness: Client): Promise<void> {
    const followers = users.flatMap((user) => this.#followers.get(user) ?? []);
    // What was written last may stay for ever.
    await this.#surroundings.ensemble.advance(PATIENCE_MS);
    await this.#checkPresent(followers, witness);
    const n = await this.#write(witness);
    await this.#all(followers, `comes to ${n}`, ({ shown, config }) => {
      return shown === n && config.value.n === n && config.problem === undefined;
    });
    await witness.set(PATH, "{");
    await this.#all(followers, `keeps ${n}, and says that there is a problem`, (follower) => {
      const { config, shown } = follower;
      return config.problem?.kind === "invalid" && shown === n && config.value.n === n;
    });
    for (const { config } of followers) await config[Symbol.asyncDispose]();
  }

  /** What there is after all that has happened. */
  async #checkPresent(followers: readonly Follower[], witness: Client): Promise<void> {
    const { stat } = await witness.exists(PATH);
    if (stat === undefined) {
      await this.#all(followers, "misses it", ({ config }) => config.problem?.kind === "missing");
      return;
    }
    const { data } = await witness.get(PATH);
    const text = new TextDecoder().decode(data ?? undefined);
    const n = /^\{"n":(\d+)\}$/.exec(text)?.[1];
    await this.#all(followers, `sees ${text}`, ({ config }) => {
      if (n === undefined) return config.problem?.kind === "invalid";
      return config.problem === undefined && config.value.n === Number(n);
    });
  }

  async #all(
    followers: readonly Follower[],
    what: string,
    isSo: (follower: Follower) => boolean,
  ): Promise<void> {
    const { ensemble } = this.#surroundings;
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 100) {
      if (followers.every(isSo)) return;
      await ensemble.advance(100);
    }
    const values = followers.map(({ shown, config }) => `${shown} ${config.problem?.kind ?? ""}`);
    this.#violated(`not every follower ${what}: ${values.join(", ")}`);
  }
}
