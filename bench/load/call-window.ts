/**
 * Keeps calls of a client library under way: as many as the window and the pacing allow. It is to libraries what the ring of
 * `zookeeper/connection.ts` is to a socket.
 */
import { performance } from "node:perf_hooks";
import { dueAt, dueMs, type Pacing } from "./pacing.ts";
import type { Recorder } from "./recorder.ts";

/** Does the request of this number, from 0. `done` has the error's name, or 0, and is called once. */
export type Call = (number: number, done: (error: string | 0) => void) => void;

export class CallWindow {
  readonly #recorder: Recorder;
  readonly #window: number;
  #call: Call = () => {};
  #isRead: (number: number) => boolean = () => false;
  #pacing: Pacing | undefined;
  #limit = 0;
  #sent = 0;
  #answered = 0;
  #settle: (() => void) | undefined;
  #filling = false;

  constructor(recorder: Recorder, window: number) {
    this.#recorder = recorder;
    this.#window = window;
  }

  get sent(): number {
    return this.#sent;
  }

  get underWay(): number {
    return this.#sent - this.#answered;
  }

  /** Calls until `stop` or `count`. Resolves when all calls are answered. */
  async run(
    call: Call,
    {
      isRead,
      pacing,
      count = Number.MAX_SAFE_INTEGER,
    }: {
      readonly isRead: (number: number) => boolean;
      readonly pacing?: Pacing | undefined;
      readonly count?: number;
    },
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#call = call;
    this.#isRead = isRead;
    this.#pacing = pacing;
    this.#limit = count;
    this.#sent = 0;
    this.#answered = 0;
    this.#settle = resolve;
    this.tick();
    this.#settleIfDone();
    await promise;
  }

  tick(): void {
    if (this.#filling) return; // A library may answer before its call returns.
    this.#filling = true;
    const nowMs = performance.now();
    const due = this.#pacing === undefined ? this.#limit : dueAt(this.#pacing, nowMs);
    while (this.#sent < Math.min(this.#limit, this.#answered + this.#window, due)) {
      const number = this.#sent;
      this.#sent += 1;
      const sentMs = this.#pacing === undefined ? nowMs : dueMs(this.#pacing, number);
      this.#call(number, (error) => this.#reply(error, sentMs, number));
    }
    this.#filling = false;
  }

  overdue(nowMs: number): number {
    if (this.#pacing === undefined) return 0;
    return Math.max(0, Math.min(this.#limit, dueAt(this.#pacing, nowMs)) - this.#sent);
  }

  stop(): void {
    this.#limit = Math.min(this.#limit, this.#sent);
    this.#settleIfDone();
  }

  #reply(error: string | 0, sentMs: number, number: number): void {
    this.#recorder.nowMs = performance.now();
    this.#recorder.reply(error, sentMs, this.#isRead(number));
    this.#answered += 1;
    this.tick();
    this.#settleIfDone();
  }

  #settleIfDone(): void {
    if (this.#sent < this.#limit || this.#answered < this.#sent) return;
    this.#settle?.();
    this.#settle = undefined;
  }
}
