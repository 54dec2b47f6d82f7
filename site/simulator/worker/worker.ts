/** The simulator in a worker of a browser: runs the seeds that the page asks for, and returns what has happened as data. */
import { INVARIANTS, Violation } from "../../../test/sim/checks/violation.ts";
import { isDirected } from "../../../test/sim/directed.ts";
import { type PlanChoice, SIM_PLACEMENTS } from "../../../test/sim/plan.ts";
import { Recorder } from "../../../test/sim/recording/recorder.ts";
import type { Recording } from "../../../test/sim/recording/recording.ts";
import { simulate, SimFailure, type SimResult } from "../../../test/sim/simulate.ts";
import type { Choice, FromWorker, Outcome, ToWorker } from "../messages.ts";

/** As much of a worker's global scope as is used. */
declare const self: {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker): void;
};

const PROGRESS_EVERY_MS = 100;

self.onmessage = ({ data }) => {
  try {
    if (data.kind === "run") run(data.choice, 0, performance.now());
    else search(data.choice, data.seedsMax);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    self.postMessage({ kind: "failed", text });
  }
};

function search(choice: Choice, seedsMax: number): void {
  const startedMs = performance.now();
  for (let passed = 0; ; passed += 1) {
    const each = { ...choice, seed: choice.seed + passed };
    const isLast = passed + 1 >= seedsMax;
    self.postMessage({ kind: "searched", seed: each.seed, passed });
    // Once more with somebody who looks on, which changes nothing.
    if (isLast || fails(each)) {
      run(each, passed, startedMs);
      return;
    }
  }
}

function fails(choice: Choice): boolean {
  try {
    simulate(choice.seed, planOf(choice));
    return false;
  } catch (error) {
    if (error instanceof SimFailure) return true;
    throw error;
  }
}

function run(choice: Choice, passed: number, startedMs: number): void {
  const seen: { by: Recorder | undefined } = { by: undefined };
  const { seed } = choice;
  let saidMs = performance.now();
  const onProgress = (virtualMs: number): void => {
    const nowMs = performance.now();
    if (nowMs - saidMs < PROGRESS_EVERY_MS) return;
    saidMs = nowMs;
    self.postMessage({ kind: "progress", seed, virtualMs });
  };
  const end = (outcome: Outcome, recording: Recording): void => {
    const tookMs = performance.now() - startedMs;
    self.postMessage({ kind: "done", choice, outcome, recording, passed, tookMs });
  };
  try {
    const result = simulate(seed, {
      ...planOf(choice),
      onCluster: (cluster) => {
        seen.by = new Recorder(cluster, onProgress);
      },
    });
    if (seen.by !== undefined) end(heldBy(result, seen.by), seen.by.finish());
  } catch (error) {
    if (!(error instanceof SimFailure) || seen.by === undefined) throw error;
    const { cause } = error;
    // Whatever else ends a run is no violation: the simulator itself is wrong.
    if (!(cause instanceof Violation)) throw error;
    const { message: text } = cause;
    end({ kind: "violated", hash: seen.by.hash, text }, seen.by.finish(text));
  }
}

function planOf({ plan, placement }: Choice): PlanChoice {
  const directed = isDirected(plan) ? plan : undefined;
  if (directed === undefined && plan !== "") throw new Error(`there is no plan ${plan}`);
  const placed = SIM_PLACEMENTS.find((each) => each === placement);
  if (placed === undefined && placement !== "")
    throw new Error(`there is no placement ${placement}`);
  return { directed, placement: placed };
}

function heldBy(result: SimResult, { decisions }: Recorder): Outcome {
  const { hash, convergedMs, network, faults, clients } = result;
  const listed = (counts: Readonly<Record<string, number>>): string => {
    const some = Object.entries(counts).filter(([, count]) => count > 0);
    return some.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
  };
  return {
    ...{ kind: "held", hash, invariants: INVARIANTS.length, decisions, convergedMs },
    facts: [
      ["Starts of nodes", String(result.starts)],
      ["Epochs", String(result.epochs)],
      ["Messages between nodes", listed(network)],
      ["Faults", listed(faults)],
      ["Clients", listed(clients)],
    ],
  };
}
