/**
 * A node in a process of its own that counts the steps of its actors (`steps$`) and its garbage collections. It is controlled over the
 * process channel. It ends when the channel closes.
 */
import { performance, PerformanceObserver } from "node:perf_hooks";
import {
  type NodeSettings,
  type RunningNode,
  startNode,
  type StepEvent,
} from "../../../server/start.ts";

export type StepOrder =
  | { readonly kind: "start"; readonly settings: NodeSettings }
  /** Asks for what was counted since the last time. */
  | { readonly kind: "count" };

export type StepCount = {
  readonly actor: string;
  readonly message: string;
  readonly steps: number;
  readonly us: number;
  readonly effects: Readonly<Record<string, number>>;
};

export type StepReport =
  | { readonly kind: "started"; readonly port: number }
  | {
      readonly kind: "counts";
      readonly steps: readonly StepCount[];
      /** Turns of the main thread's loop, and those of them in which it waited. */
      readonly turns: number;
      readonly collections: number;
      readonly collectionMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };

type Counted = { steps: number; us: number; effects: Record<string, number> };

const counted = new Map<string, Counted>();
let turnsBefore = 0;
let collections = 0;
let collectionMs = 0;
let node: RunningNode | undefined;

function count({ actor, message, effects, tookUs }: StepEvent): void {
  const key = `${actor} ${message}`;
  let entry = counted.get(key);
  if (entry === undefined) {
    entry = { steps: 0, us: 0, effects: {} };
    counted.set(key, entry);
  }
  entry.steps += 1;
  entry.us += tookUs;
  for (const [kind, times] of Object.entries(effects)) {
    entry.effects[kind] = (entry.effects[kind] ?? 0) + times;
  }
}

async function start(settings: NodeSettings): Promise<void> {
  node = await startNode(settings);
  node.steps$.subscribe(count);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      collections += 1;
      collectionMs += duration;
    }
  }).observe({ entryTypes: ["gc"] });
  report({ kind: "started", port: node.clientPort });
}

function tell(): void {
  const steps = [...counted].map(([key, entry]) => {
    const [actor = "", message = ""] = key.split(" ");
    return { actor, message, ...entry };
  });
  const turns = performance.nodeTiming.uvMetricsInfo.loopCount;
  report({ kind: "counts", steps, turns: turns - turnsBefore, collections, collectionMs });
  counted.clear();
  turnsBefore = turns;
  collections = 0;
  collectionMs = 0;
}

function report(message: StepReport): void {
  process.send?.(message);
}

async function end(): Promise<void> {
  await node?.stop();
  process.exit(0);
}

process.on("message", (order: StepOrder) => {
  if (order.kind === "count") {
    tell();
  } else {
    start(order.settings).catch((error: unknown) => {
      report({ kind: "failed", message: String(error) });
    });
  }
});
process.on("SIGINT", () => {});
process.on("disconnect", () => void end());
