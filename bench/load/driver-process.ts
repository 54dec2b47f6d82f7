/** A load process, seen from the bench: what it is ordered to do, and what it reports. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DriverOrder, DriverReport, DriverResult } from "./plan.ts";
import type { Samples } from "./samples.ts";

export class LoadError extends Error {
  override readonly name = "LoadError";
}

export class Driver {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #measuring = Promise.withResolvers<void>();
  readonly #measured = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<DriverResult>();
  #samples: PromiseWithResolvers<Samples> | undefined;
  operations = 0;
  onProgress: (() => void) | undefined;

  constructor() {
    const entry = fileURLToPath(new URL("./driver.ts", import.meta.url));
    this.#child = fork(entry, { execArgv: [], serialization: "advanced" });
    this.#child.on("message", (message: DriverReport) => this.#hear(message));
    this.#child.on("error", (error) => this.#fail(error));
    this.#child.on("exit", (code, signal) => {
      this.#fail(new LoadError(`a load process ended early (${signal ?? `exit ${code}`})`));
    });
    for (const each of [this.#ready, this.#measuring, this.#measured, this.#done]) {
      each.promise.catch(() => {}); // There may be no waiter yet; without this a rejection would be unhandled.
    }
  }

  get measuring(): Promise<void> {
    return this.#measuring.promise;
  }

  get measured(): Promise<void> {
    return this.#measured.promise;
  }

  prepare(order: DriverOrder): Promise<void> {
    this.#child.send(order);
    return this.#ready.promise;
  }

  start(): Promise<DriverResult> {
    this.#child.send({ kind: "start" } satisfies DriverOrder);
    return this.#done.promise;
  }

  /** Ends the measurement before its time. */
  stop(): Promise<DriverResult> {
    this.#child.send({ kind: "stop" } satisfies DriverOrder);
    return this.#done.promise;
  }

  /** Resolves with the samples since the last call, if the plan has it keep them. One call at a time. */
  samples(): Promise<Samples> {
    this.#samples = Promise.withResolvers<Samples>();
    // A process that has failed does not answer.
    this.#done.promise.catch(this.#samples.reject);
    this.#child.send({ kind: "samples" } satisfies DriverOrder);
    return this.#samples.promise;
  }

  /** Closes the channel, at which the load process exits. */
  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #hear(message: DriverReport): void {
    switch (message.kind) {
      case "ready":
        return this.#ready.resolve();
      case "measuring":
        return this.#measuring.resolve();
      case "progress":
        this.operations = message.operations;
        return this.onProgress?.();
      case "samples":
        return this.#samples?.resolve(message.samples);
      case "measured":
        return this.#measured.resolve();
      case "done":
        return this.#done.resolve(message.result);
      case "failed":
        return this.#fail(new LoadError(message.message));
    }
  }

  #fail(error: Error): void {
    for (const each of [this.#ready, this.#measuring, this.#measured, this.#done]) {
      each.reject(error);
    }
  }
}
