/** Inserts into a replica, one after the other, again and again until each is answered. */
import { setTimeout as wait } from "node:timers/promises";
import type { ClickHouse } from "./server.ts";

/** Keeps the numbers of replicas apart. */
const NUMBERS_OF_ONE = 1_000_000;
const AGAIN_MS = 50;

export class Inserts {
  /** Numbers whose insert was answered. */
  readonly answered: number[] = [];
  /** How often one was asked for again. The server drops blocks that it has already: their sums are znodes. */
  repeated = 0;
  /** The longest time between two answers since `restart`, in milliseconds. */
  longestMs = 0;
  readonly #replica: ClickHouse;
  readonly #first: number;
  #lastMs = performance.now();
  #isOver = false;
  #isAbandoned = false;
  #running: Promise<void> = Promise.resolve();

  constructor(replica: ClickHouse) {
    this.#replica = replica;
    this.#first = Number(replica.replica) * NUMBERS_OF_ONE;
  }

  start(): void {
    this.#running = this.#run();
  }

  restart(): void {
    this.longestMs = 0;
  }

  /** Resolves when the last one was answered. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** The last one may stay without an answer. */
  abandon(): void {
    this.#isOver = true;
    this.#isAbandoned = true;
  }

  async #run(): Promise<void> {
    for (let number = this.#first; !this.#isOver; number += 1) {
      if (!(await this.#insert(number))) return;
      const nowMs = performance.now();
      this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.answered.push(number);
    }
  }

  /** Whether it was answered. */
  async #insert(number: number): Promise<boolean> {
    while (!this.#isAbandoned) {
      try {
        await this.#replica.query(`INSERT INTO numbers (day, n) VALUES ('2026-01-01', ${number})`);
        return true;
      } catch {
        this.repeated += 1;
        await wait(AGAIN_MS);
      }
    }
    return false;
  }
}
