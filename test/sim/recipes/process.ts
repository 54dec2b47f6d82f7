/** The process of a client that uses every recipe at once, with a new session when the last one has ended. */
import type { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";
import { Client } from "../../../client/client.ts";
import type { TestEnsemble } from "../../../testing/ensemble.ts";
import type { Target } from "./faults.ts";
import { LossyWire } from "./lossy-wire.ts";
import { isOutcome, type Part, type User } from "./part.ts";

const TIMES = { sessionTimeoutMs: 4_000, operationTimeoutMs: 3_000 } as const;

export type ProcessOptions = {
  readonly number: number;
  readonly random: SeededRandomness;
  readonly parts: readonly Part[];
  /** How far its clock drifts at most, either way. */
  readonly drift: number;
  /** False: no answers are lost any more. */
  readonly loses: () => boolean;
};

export class Process implements Target {
  client: Client | undefined;
  /** That of its present session. */
  user: User | undefined;
  readonly #ensemble: TestEnsemble;
  readonly #options: ProcessOptions;
  #held = 0;
  #sessions = 0;
  #pausedUntilMs = 0;
  #isFinishing = false;

  constructor(ensemble: TestEnsemble, options: ProcessOptions) {
    this.#ensemble = ensemble;
    this.#options = options;
  }

  get isHolding(): boolean {
    return this.#held > 0;
  }

  async pause(ms: number): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#ensemble.nowMs + ms);
    await this.#ensemble.pause(client, ms);
  }

  /** It begins nothing more, and keeps its session. */
  finish(): void {
    this.#isFinishing = true;
  }

  async run(): Promise<void> {
    while (!this.#isFinishing) {
      const client = await this.#connected();
      if (client === undefined) continue;
      this.client = client;
      const user = this.#userOf(client);
      this.user = user;
      await Promise.all(this.#options.parts.map((part) => part.use(user)));
      if (client.signal.aborted) this.user = undefined;
    }
  }

  async #connected(): Promise<Client | undefined> {
    const { random, drift } = this.#options;
    const clockRate = 1 + (random.random() * 2 - 1) * drift;
    this.#pausedUntilMs = 0;
    try {
      return await this.#ensemble.connect({ ...TIMES, clockRate });
    } catch (error) {
      // The ensemble is closed, since another has found a violation.
      if (!isOutcome(error)) throw error;
      return undefined;
    }
  }

  #userOf(own: Client): User {
    const { random, loses, number } = this.#options;
    this.#sessions += 1;
    const isLossy = random.random() < 0.5;
    const client = isLossy ? new Client(new LossyWire(own.wire, { random, loses })) : own;
    return {
      name: `${number}-${this.#sessions}`,
      ...{ client, random },
      isPaused: () => this.#ensemble.nowMs < this.#pausedUntilMs,
      goesOn: () => !this.#isFinishing && !client.signal.aborted,
      holds: () => {
        this.#held += 1;
        return () => {
          this.#held -= 1;
        };
      },
    };
  }
}
