/**
 * A lane is one pinned worker thread with the actors that live on it. Piscina launches it: an instance with exactly one thread runs one
 * task (`lane-host.ts`), which ends when the node ends. So nothing is scheduled and no work is shared between lanes: a message for
 * an actor can only go to the thread that has the actor's state. What piscina adds to a bare `Worker` is the limit of the heap, and that
 * the death of the thread rejects a promise. Messages go both ways over a port of our own, many in each `postMessage`.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Piscina } from "piscina";
import { Observable } from "rxjs/internal/Observable";
import { share } from "rxjs/internal/operators/share";
import { Subject } from "rxjs/internal/Subject";
import { Subscription } from "rxjs/internal/Subscription";
import type { InspectionEvent, StepEvent } from "../inspection.ts";
import { announcePost, type AnnouncedPosts, newAnnouncedPosts } from "./inlet.ts";
import type { FromLane, ToLane } from "./lane-protocol.ts";
import type { Letter, Link } from "../system.ts";
import { parcelOf } from "./own-bytes.ts";

export type LaneOptions = {
  /** The module whose default export is the lane's task. */
  readonly entry: URL;
  /** The limit of the thread's heap in bytes. Default: that of the process. */
  readonly heapBytes?: number | undefined;
  /** A copy of this is passed to the task. */
  readonly data: object;
  /** Aborts the start, which then rejects. Afterwards it has no effect. */
  readonly signal?: AbortSignal | undefined;
  readonly onLetters: (letters: readonly Letter[]) => void;
  readonly onInspection: (event: InspectionEvent) => void;
  /** Called when the node must stop: an actor asked for it, or the thread has died. */
  readonly onStopNode: (reason: string) => void;
};

export class Lane implements Link {
  readonly #piscina: Piscina;
  readonly #port: MessagePort;
  readonly #announced: AnnouncedPosts;
  readonly #askToStop: () => void;
  readonly #ended: Promise<void>;
  readonly #answers: Subject<void>;
  /** Each step of the lane's actors. The lane reports them only while there is a subscriber. */
  readonly steps$: Observable<StepEvent>;
  /** The detail that the lane sent when it was ready. */
  readonly detail: Readonly<Record<string, number>>;

  private constructor(of: {
    readonly piscina: Piscina;
    readonly port: MessagePort;
    readonly announced: AnnouncedPosts;
    readonly askToStop: () => void;
    readonly ended: Promise<void>;
    readonly steps: Observable<StepEvent>;
    readonly answers: Subject<void>;
    readonly detail: Readonly<Record<string, number>>;
  }) {
    this.#piscina = of.piscina;
    this.#port = of.port;
    this.#announced = of.announced;
    this.#askToStop = of.askToStop;
    this.#ended = of.ended;
    this.#answers = of.answers;
    this.detail = of.detail;
    this.steps$ = this.#stepsOf(of.steps);
  }

  /** Starts a lane. Resolves when its actors are in place; rejects with the reason if that fails. */
  static async start(options: LaneOptions): Promise<Lane> {
    const piscina = await threadFor(options);
    const { port1, port2 } = new MessageChannel();
    const announced = newAnnouncedPosts();
    let stopping = false;
    const steps = new Subject<StepEvent>();
    const answers = new Subject<void>();
    const ready = Promise.withResolvers<Readonly<Record<string, number>>>();
    const ended = piscina
      .run({ ...options.data, port: port2, announced }, { transferList: [port2] })
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
        answers.complete();
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
        case "hereIAm":
          answers.next();
          return;
        case "steps":
          for (const step of message.steps) steps.next(step);
          return;
        default:
          options.onStopNode(message.reason);
      }
    });
    const askToStop = (): void => {
      stopping = true;
      const stop: ToLane = { kind: "stop" };
      port1.postMessage(stop);
    };
    options.signal?.addEventListener("abort", askToStop, { once: true });
    try {
      const detail = await ready.promise;
      return new Lane({
        ...{ piscina, port: port1, announced, askToStop, ended, steps, answers, detail },
      });
    } catch (error) {
      port1.close();
      await piscina.destroy();
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", askToStop);
    }
  }

  announce(): void {
    announcePost(this.#announced);
  }

  post(letters: readonly Letter[]): void {
    const { letters: own, transfer } = parcelOf(letters);
    this.#say({ kind: "letters", letters: own }, transfer);
  }

  /** Resolves with true when the lane's thread answers, with false when it has not after so many milliseconds, or has ended. */
  answers(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isThere: boolean): void => {
        clearTimeout(timer);
        subscription.unsubscribe();
        resolve(isThere);
      };
      const timer = setTimeout(() => settle(false), withinMs);
      const subscription = new Subscription();
      subscription.add(
        this.#answers.subscribe({ next: () => settle(true), complete: () => settle(false) }),
      );
      this.#say({ kind: "areYouThere" });
    });
  }

  /** Lets the lane close what it owns, and then ends the thread. */
  async stop(): Promise<void> {
    this.#askToStop();
    await this.#ended;
    this.#port.close();
    await this.#piscina.destroy();
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
  #say(message: ToLane, transfer?: readonly ArrayBuffer[]): void {
    this.#port.postMessage(message, transfer);
  }
}

async function threadFor({ entry, heapBytes }: LaneOptions): Promise<Piscina> {
  // A node whose actors share one thread has no need of it.
  const { Piscina } = await import("piscina");
  return new Piscina({
    filename: entry.href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // With atomics a worker that waits for a task blocks its event loop, and with it its sockets.
    atomics: "disabled",
    ...heapLimit(heapBytes),
  });
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
