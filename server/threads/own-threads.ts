/** A node whose log and lanes have threads of their own: its main thread has the actors of replication only. */
import { Lane } from "../../runtime/lanes/lane.ts";
import type { Link } from "../../runtime/system.ts";
import { threadOf } from "../placement.ts";
import type { ClientPorts } from "./client-doors.ts";
import type { TreeLaneData } from "./lane-clients.ts";
import type { ClientsOptions, MainPart, Threads, ThreadsOptions } from "./threads.ts";

export class OwnThreads implements Threads {
  readonly #options: ThreadsOptions;
  readonly #treeLanes: Lane[] = [];
  #logLane: Lane | undefined;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  get ports(): ClientPorts | undefined {
    const detail = this.#treeLanes[0]?.detail;
    if (detail === undefined) return undefined;
    return { clientPort: detail["clientPort"], secureClientPort: detail["secureClientPort"] };
  }

  get lanes(): readonly Lane[] {
    return this.#logLane === undefined ? this.#treeLanes : [this.#logLane, ...this.#treeLanes];
  }

  async openFolder(): Promise<void> {
    const { config } = this.#options;
    this.#logLane = await this.#start("log-lane", { config });
  }

  async startLanes({ counts, nats, ownDoor, skips }: ClientsOptions): Promise<void> {
    const { config } = this.#options;
    const heapBytes = config.laneHeapBytes > 0 ? config.laneHeapBytes : undefined;
    for (let lane = 1; lane <= config.lanes; lane += 1) {
      const ports = this.ports ?? config;
      const { clientPort, secureClientPort } = ports;
      const data: TreeLaneData = {
        ...{ config, counts, lane, nats, skips },
        // The clients of the process itself are few, and one lane serves them.
        ownDoor: lane === 1 ? ownDoor : undefined,
        ports: { clientPort, secureClientPort },
      };
      this.#treeLanes.push(await this.#start("tree-lane", data, heapBytes));
    }
  }

  mainPart(): MainPart {
    return { route: (to) => this.#linkTo(to) };
  }

  addActors(): void {
    // Those of other threads were added there.
  }

  async openClients(): Promise<void> {
    // Each lane has done so when it had started.
  }

  async closeLanes(): Promise<void> {
    await allOf(this.#treeLanes.map((lane) => lane.stop()));
  }

  async closeFolder(): Promise<void> {
    await this.#logLane?.stop();
  }

  #linkTo(actor: string): Link | undefined {
    const thread = threadOf(actor);
    if (thread === "log") return this.#logLane;
    return thread === "main" ? undefined : this.#treeLanes[thread - 1];
  }

  async #start(name: string, data: object, heapBytes?: number): Promise<Lane> {
    const { signal, onLetters, onInspection, onStopNode } = this.#options;
    signal.throwIfAborted();
    const entry = laneEntry(name);
    const handlers = { onLetters, onInspection, onStopNode };
    const lane = await Lane.start({ entry, heapBytes, data, signal, ...handlers });
    if (signal.aborted) await lane.stop();
    signal.throwIfAborted();
    return lane;
  }
}

/** Lanes' entries have this file's extension: `.ts` in a checkout, `.js` when built. */
function laneEntry(name: string): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`../lanes/${name}.${extension}`, import.meta.url);
}

/** Waits for all, also when some fail, and then rejects as the first that did. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}
