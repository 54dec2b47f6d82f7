/** A client that takes rights and uses them, over and over, with a new session when the last one has ended. */
import { BadArgumentsError, ZooidError } from "../../../../protocol/errors.ts";
import type { SeededRandomness } from "../../../../runtime/testing/virtual-clock.ts";
import type { Client, TestEnsemble } from "../../../../testing/ensemble.ts";
import type { Condition } from "../../../../client/connect.ts";
import { pause } from "../../../../client/recipes/again.ts";
import {
  type HeldRight,
  type Referee,
  RIGHTS,
  type RightPath,
  statePath,
  valueAt,
} from "./referee.ts";

const SESSION_TIMEOUT_MS = 4_000;
/** How far clocks drift, either way. */
const DRIFT = 0.04;
const TURNS_MAX = 25;

type Held = HeldRight & { readonly isHeld: Condition };

export class Worker {
  client: Client | undefined;
  isHolding = false;
  readonly #ensemble: TestEnsemble;
  readonly #referee: Referee;
  readonly #random: SeededRandomness;
  readonly #number: number;
  readonly #never = new AbortController();
  #pausedUntilMs = 0;
  #isFinishing = false;

  constructor(
    ensemble: TestEnsemble,
    referee: Referee,
    of: { readonly number: number; readonly random: SeededRandomness },
  ) {
    this.#ensemble = ensemble;
    this.#referee = referee;
    this.#number = of.number;
    this.#random = of.random;
  }

  async pause(ms: number): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#ensemble.nowMs + ms);
    await this.#ensemble.pause(client, ms);
  }

  /** It goes for one more turn, and ends. */
  finish(): void {
    this.#isFinishing = true;
  }

  async run(): Promise<void> {
    for (let turn = 0, isLast = false; !isLast && turn < TURNS_MAX; turn += 1) {
      isLast = this.#isFinishing;
      const client = await this.#connected();
      const isElection = this.#random.random() < 0.4;
      try {
        if (isElection) await this.#lead(client);
        else await this.#lock(client);
      } catch (error) {
        if (!(error instanceof ZooidError)) throw error;
      }
      this.isHolding = false;
      await pause(client.wire.clock, this.#random.random() * 300, client.signal);
    }
    await this.client?.close();
  }

  async #connected(): Promise<Client> {
    while (this.client === undefined || this.client.signal.aborted) {
      this.client = undefined;
      const clockRate = 1 + (this.#random.random() * 2 - 1) * DRIFT;
      const options = { sessionTimeoutMs: SESSION_TIMEOUT_MS, operationTimeoutMs: 3_000 };
      this.#pausedUntilMs = 0;
      this.client = await this.#ensemble
        .connect({ ...options, clockRate })
        .catch((error: unknown) => {
          // The ensemble is closed, since another has found a violation.
          if (error instanceof BadArgumentsError || !(error instanceof ZooidError)) throw error;
          return undefined;
        });
    }
    return this.client;
  }

  async #lock(client: Client): Promise<void> {
    const [path] = RIGHTS;
    const patience = this.#random.random();
    const waitMs = patience < 0.3 ? Math.floor(patience * 10_000) : undefined;
    await using lock = await client.lock(path, { waitMs, data: `worker ${this.#number}` });
    await this.#use(client, path, lock);
  }

  async #lead(client: Client): Promise<void> {
    const [, path] = RIGHTS;
    for await (const term of client.election(path, { name: `worker ${this.#number}` }).terms()) {
      await this.#use(client, path, term);
      break;
    }
  }

  async #use(client: Client, path: RightPath, right: Held): Promise<void> {
    const referee = this.#referee;
    referee.granted(path, right, () => this.#ensemble.nowMs < this.#pausedUntilMs);
    this.isHolding = true;
    const outside = referee.outside.get(path);
    for (let step = 0; step < 3 && !right.signal.aborted; step += 1) {
      const before = outside?.read(right.fence);
      await this.#increment(client, path, right);
      // Whatever comes from the ensemble comes after the signal.
      if (!right.signal.aborted) referee.isAlone(path, right);
      const { clock } = client.wire;
      await pause(clock, this.#random.random() * 400, this.#never.signal);
      // A timer may run before the one of the signal, which is why there is a time to ask for.
      if (right.remainingMs > 0) referee.isAlone(path, right);
      // It writes as a program does that does not look at its signal: the fence is to hold it up.
      if (before !== undefined) outside?.write(right.fence, before + 1);
    }
    if (right.signal.aborted) referee.losses += 1;
  }

  async #increment(client: Client, path: RightPath, right: Held): Promise<void> {
    const { inside } = this.#referee;
    const counted = inside.get(path) ?? { done: 0, doubtful: 0 };
    const state = statePath(path);
    const { stat } = await client.exists(state);
    const now = await valueAt(client, state);
    await pause(client.wire.clock, this.#random.random() * 50, this.#never.signal);
    const next = String(now + 1);
    const steps = client
      .transaction((t) => [stat === undefined ? t.create(state, next) : t.set(state, next)])
      .if(right.isHeld);
    try {
      await steps.commit();
      counted.done += 1;
    } catch (error) {
      if (!(error instanceof ZooidError)) throw error;
      if (error.maybeApplied !== "no") counted.doubtful += 1;
    }
  }
}
