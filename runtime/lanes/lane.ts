/**
 * A lane: a worker thread pinned in a one-thread piscina pool. It runs one long task that hosts the lane's actors; batches
 * of messages go both ways through one port.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import type { InspectionEvent } from "../inspection.ts";
import type { FromLane, ToLane } from "./lane-protocol.ts";
import type { Letter, Link } from "../system.ts";
import { parcelOf } from "./own-bytes.ts";

export type LaneOptions = {
  /** Module of the lane's task. */
  readonly entry: URL;
  /** Bytes of the thread's heap. Default: as the process has it. */
  readonly heapBytes?: number | undefined;
  /** Handed to the task, copied. */
  readonly data: object;
  readonly onLetters: (letters: readonly Letter[]) => void;
  readonly onInspection: (event: InspectionEvent) => void;
  /** The lane is of no use any more: an actor asked for it, or the thread died. */
  readonly onStopNode: (reason: string) => void;
};

export class Lane implements Link {
  readonly #pool: Piscina;
  readonly #port: MessagePort;
  readonly #ended: Promise<void>;
  /** What the lane said when it was ready. */
  readonly detail: Readonly<Record<string, number>>;

  private constructor(
    pool: Piscina,
    port: MessagePort,
    ended: Promise<void>,
    detail: Readonly<Record<string, number>>,
  ) {
    this.#pool = pool;
    this.#port = port;
    this.#ended = ended;
    this.detail = detail;
  }

  /** Resolves when the lane's actors are in place; rejects with what its start failed of. */
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
        default:
          options.onStopNode(message.reason);
      }
    });
    try {
      return new Lane(pool, port1, ended, await ready.promise);
    } catch (error) {
      port1.close();
      await pool.destroy();
      throw error;
    }
  }

  post(letters: readonly Letter[]): void {
    const { letters: own, transfer } = parcelOf(letters);
    const message: ToLane = { kind: "letters", letters: own };
    this.#port.postMessage(message, transfer);
  }

  /** Lets the lane close what it owns, then ends its thread. */
  async stop(): Promise<void> {
    const message: ToLane = { kind: "stop" };
    this.#port.postMessage(message);
    await this.#ended;
    this.#port.close();
    await this.#pool.destroy();
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
