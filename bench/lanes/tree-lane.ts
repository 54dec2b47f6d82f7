/** A tree lane of a node, which gets committed batches as the main thread of a node posts them. */
import type { TreeMessage, TreeMetrics } from "../../actors/tree/messages.ts";
import { ConnectionCounts } from "../../runtime/connections/connection-counts.ts";
import { Lane } from "../../runtime/lanes/lane.ts";
import type { Letter } from "../../runtime/system.ts";
import { validate } from "../../server/config/validate.ts";
import type { PlacedConfig } from "../../server/threads/choice.ts";
import type { TreeLaneData } from "../../server/threads/lane-clients.ts";
import { BenchError } from "../failure.ts";
import { BENCH_SERVER } from "./records.ts";

const ENTRY: URL = new URL("../../server/lanes/tree-lane.ts", import.meta.url);

export class BenchLane {
  readonly #number: number;
  readonly #lane: Lane;
  /** The callers that wait for the lane's metrics, in the order in which they asked. */
  readonly #waiting: ((metrics: TreeMetrics) => void)[];

  private constructor(number: number, lane: Lane, waiting: ((metrics: TreeMetrics) => void)[]) {
    this.#number = number;
    this.#lane = lane;
    this.#waiting = waiting;
  }

  static async start(number: number, lanes: number): Promise<BenchLane> {
    const waiting: ((metrics: TreeMetrics) => void)[] = [];
    const config = configOf(lanes);
    const data: TreeLaneData = {
      config,
      counts: ConnectionCounts.share({ connectionsMax: 1, perAddressMax: 1 }),
      lane: number,
      ports: { clientPort: 0, secureClientPort: undefined },
      nats: false,
      ownDoor: undefined,
      skips: [],
    };
    const lane = await Lane.start({
      entry: ENTRY,
      data,
      onLetters: (letters) => {
        for (const { message } of letters) {
          if (isMetrics(message)) waiting.shift()?.(message);
        }
      },
      onInspection: () => undefined,
      onStopNode: (reason) => {
        throw new BenchError(`lane ${number} stopped: ${reason}`);
      },
    });
    return new BenchLane(number, lane, waiting);
  }

  /** Applies records. Resolves with the metrics of the tree when the lane has applied them. */
  apply(records: readonly Uint8Array[]): Promise<TreeMetrics> {
    return this.#ask([{ kind: "committed", records }]);
  }

  metrics(): Promise<TreeMetrics> {
    return this.#ask([]);
  }

  stop(): Promise<void> {
    return this.#lane.stop();
  }

  /**
   * Posts the messages and asks for metrics. The lane handles letters in order, so its metrics come after the messages were
   * handled.
   */
  #ask(messages: readonly TreeMessage[]): Promise<TreeMetrics> {
    const to = `tree/${this.#number}`;
    const all: readonly TreeMessage[] = [...messages, { kind: "reportMetrics" }];
    const letters = all.map((message): Letter => ({ to, message }));
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#lane.post(letters);
    });
  }
}

function isMetrics(message: object): message is TreeMetrics {
  return "kind" in message && message.kind === "treeMetrics";
}

function configOf(lanes: number): PlacedConfig {
  const setting = (value: string): { value: string; source: string } => ({
    value,
    source: "bench",
  });
  const settings = new Map([
    ["id", setting(String(BENCH_SERVER))],
    ["lanes", setting(String(lanes))],
    ["clientPortAddress", setting("127.0.0.1")],
  ] as const);
  const validation = validate(settings, { transport: "memory" });
  if (validation.kind === "invalid") throw new BenchError("the lanes' configuration is wrong");
  return { ...validation.config, lanes };
}
