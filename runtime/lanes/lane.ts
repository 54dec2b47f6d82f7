/**
 * A lane: a worker thread pinned in a one-thread piscina pool. It runs one long task that hosts the lane's actors; batches
 * of messages go both ways through one port.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { Observable, share, Subject } from "rxjs";
import type { InspectionEvent, StepEvent } from "../inspection.ts";
import type { FromLane, ToLane } from "./lane-protocol.ts";
import type { Letter, Link } from "../system.ts";
import { parcelOf } from "./own-bytes.ts";

export type LaneOptions = {
  /** The module whose default export is the lane's task. */
  readonly entry: URL;
  /** Bytes of the thread's heap. Default: as the process has it. */
  readonly heapBytes?: number | undefined;
  /** Handed to the task, copied. */
  readonly data: object;
  /** Aborts the start, which then rejects. Afterwards it has no effect. */
  readonly signal?: AbortSignal | undefined;
  readonly onLetters: (letters: readonly Letter[]) => void;
  readonly onInspection: (event: InspectionEvent) => void;
  /** The lane is of no use any more: an actor asked for it, or the thread died. */
  readonly onStopNode: (reason: string) => void;
};

export class Lane implements Link {
  readonly #pool: Piscina;
  readonly #port: MessagePort;
  readonly #ended: Promise<void>;
  /** Each step of the lane's actors, while somebody subscribes: before, the lane does not look at them. */
  readonly steps$: Observable<StepEvent>;
  /** What the lane said when it was ready. */
  readonly detail: Readonly<Record<string, number>>;

  private constructor(of: {
    readonly pool: Piscina;
    readonly port: MessagePort;
    readonly ended: Promise<void>;
    readonly steps: Observable<StepEvent>;
    readonly detail: Readonly<Record<string, number>>;
  }) {
    this.#pool = of.pool;
    this.#port = of.port;
    this.#ended = of.ended;
    this.detail = of.detail;
    this.steps$ = this.#stepsOf(of.steps);
  }

  /** Resolves when the lane's actors are in place. Rejects with the error over which its start failed. */
  static async start(options: LaneOptions): Promise<Lane> {
    const pool = new Piscina({
      filename: options.entry.href,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Between tasks a waiting worker would block its event loop, and with it the sockets.
      atomics: "disabled",
      ...heapLimit(options.heapBytes),
    });
    const { port1, port2 } = new MessageChannel();
    let stopping = false;
    const steps = new Subject<StepEvent>();
    const ready = Promise.withResolvers<Readonly<Record<string, number>>>();
    const ended = pool
      .run({ ...options.data, port: port2 }, { transferList: [port2] })
      .then(
        () => {
          if (!stopping) options.onStopNode("a lane ended by itself");
        },
        (error: unknown) => {
          ready.reject(error);
          if (!stopping) options.onStopNode(failureOf(error));
        },
      )
      .finally(() => {
        stopping = true;
        steps.complete();
      });
    port1.on("message", (message: FromLane) => {
      switch (message.kind) {
        case "letters":
          options.onLetters(message.letters);
          return;
        case "ready":
          ready.resolve(message.detail);
          return;
        case "inspection":
          options.onInspection(message.event);
          return;
        case "steps":
          for (const step of message.steps) steps.next(step);
          return;
        default:
          options.onStopNode(message.reason);
      }
    });
    const abort = (): void => {
      stopping = true;
      const stop: ToLane = { kind: "stop" };
      port1.postMessage(stop);
    };
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      const detail = await ready.promise;
      return new Lane({ pool, port: port1, ended, steps, detail });
    } catch (error) {
      port1.close();
      await pool.destroy();
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  }

  post(letters: readonly Letter[]): void {
    const { letters: own, transfer } = parcelOf(letters);
    this.#say({ kind: "letters", letters: own }, transfer);
  }

  /** Lets the lane close what it owns, then ends its thread. */
  async stop(): Promise<void> {
    this.#say({ kind: "stop" });
    await this.#ended;
    this.#port.close();
    await this.#pool.destroy();
  }

  #stepsOf(steps: Observable<StepEvent>): Observable<StepEvent> {
    return new Observable<StepEvent>((subscriber) => {
      const subscription = steps.subscribe(subscriber);
      this.#say({ kind: "observeSteps", wanted: true });
      return () => {
        subscription.unsubscribe();
        this.#say({ kind: "observeSteps", wanted: false });
      };
    }).pipe(share());
  }

  /** What is said to a lane that has ended is lost. */
  #say(message: ToLane, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

function heapLimit(
  heapBytes: number | undefined,
): Partial<ConstructorParameters<typeof Piscina>[0]> {
  if (heapBytes === undefined) return {};
  return { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 1024 / 1024) } };
}

function failureOf(error: unknown): string {
  const isHeapFull =
    error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  if (!isHeapFull) return `a lane failed: ${String(error)}`;
  return "a lane's heap is full: start with NODE_OPTIONS=--max-old-space-size=… (in MB), or a larger --lane-heap-bytes";
}
