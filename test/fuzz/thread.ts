/** One thread of fuzzing: a while of each target in turn, again and again, until it is told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import { cpuMsApart } from "./cpu-time.ts";
import { type Failure, Fuzzer } from "./fuzzer.ts";
import { heldBytes } from "./heap.ts";
import { INPUT_BYTES_MAX, type ThreadData, type ThreadReport } from "./messages.ts";
import { TARGETS } from "./targets/all.ts";
import type { Target } from "./target.ts";

const SLICE_MS = 400;
/** Growth below it is not looked at: code that is compiled, caches that fill. */
const GROWTH_BYTES_MIN = 16 * 1024 * 1024;
const GROWTH_BYTES_PER_INPUT = 32;
const SUSPECT_RUNS = 200;
/** Rounds, of which the second, and then one in so many, is measured: a collection takes time. */
const MEASURED_ONE_IN = 8;

const data = workerData as ThreadData;
const header = new Int32Array(data.shared, 0, 2);
const shown = new Uint8Array(data.shared, 8);

function say(report: ThreadReport): void {
  parentPort?.postMessage(report);
}

/** Where the main thread finds the input if this one never comes back. */
function showInput(target: number, bytes: Uint8Array): void {
  const length = Math.min(bytes.length, INPUT_BYTES_MAX);
  shown.set(bytes.subarray(0, length));
  header[1] = (target << 24) | length;
  Atomics.add(header, 0, 1);
}

class Lane {
  readonly target: Target;
  readonly fuzzer: Fuzzer;
  /** Held after the slices that were measured and not before them, and how many inputs those had. */
  #grownBytes = 0;
  #measuredInputs = 0;
  #grew = false;

  constructor(target: Target, index: number, coverage: Coverage) {
    this.target = target;
    this.fuzzer = new Fuzzer({
      target,
      seed: data.seed,
      coverage,
      onInput: (bytes) => showInput(index, bytes),
      onFailure: (failure) => say({ kind: "failure", failure }),
      measureApart: cpuMsApart,
    });
  }

  slice(inputs: number): void {
    const before = this.fuzzer.inputs;
    const startMs = performance.now();
    this.fuzzer.run({ ms: SLICE_MS, inputs });
    say({
      kind: "slice",
      target: this.target.name,
      inputs: this.fuzzer.inputs - before,
      ms: performance.now() - startMs,
      behaviours: this.fuzzer.behaviours,
      corpus: this.fuzzer.corpus.length,
      cpuMsMax: this.fuzzer.cpuMsMax,
    });
  }

  /** What stays after many inputs has to be little, beside the inputs that the fuzzer itself keeps. */
  measuredSlice(inputs: number): void {
    const { fuzzer } = this;
    const before = { held: heldBytes(), inputs: fuzzer.inputs, corpus: fuzzer.corpusBytes };
    this.slice(inputs);
    this.#grownBytes += heldBytes() - before.held - (fuzzer.corpusBytes - before.corpus);
    this.#measuredInputs += fuzzer.inputs - before.inputs;
    const allowed = GROWTH_BYTES_MIN + GROWTH_BYTES_PER_INPUT * this.#measuredInputs;
    if (this.#grownBytes <= allowed || this.#grew) return;
    this.#grew = true;
    const failure: Failure = {
      target: this.target.name,
      seed: data.seed,
      signature: "growth",
      reason: `${this.#grownBytes} bytes more are held after ${this.#measuredInputs} inputs; below is the one that holds most of the last that were kept`,
      input: this.#worst(),
    };
    say({ kind: "failure", failure });
  }

  /** The input after which most is held, of those that were kept. */
  #worst(): Uint8Array {
    let worst = new Uint8Array(0);
    let most = 0;
    for (const input of this.fuzzer.corpus.slice(-64)) {
      const before = heldBytes();
      this.fuzzer.repeat(input, SUSPECT_RUNS);
      const grown = heldBytes() - before;
      if (grown <= most) continue;
      most = grown;
      worst = input.slice();
    }
    return worst;
  }
}

let stopped = false;
let left = data.inputs;
parentPort?.on("message", () => {
  stopped = true;
});

async function run(): Promise<void> {
  const coverage = new Coverage();
  const lanes = TARGETS.flatMap((target, index) => {
    if (!data.targets.includes(target.name)) return [];
    const lane = new Lane(target, index, coverage);
    return Array.from({ length: target.turns ?? 1 }, () => lane);
  });
  for (let round = 0; !stopped && left > 0; round += 1) {
    for (const lane of lanes) {
      if (stopped || left <= 0) break;
      // Each comes to its turn, also when few inputs are asked for.
      const share = round === 0 ? Math.ceil(data.inputs / lanes.length) : left;
      const before = lane.fuzzer.inputs;
      const inputs = Math.min(share, left);
      if (round % MEASURED_ONE_IN === 1) lane.measuredSlice(inputs);
      else lane.slice(inputs);
      left -= lane.fuzzer.inputs - before;
      // Lets a word of the main thread come in.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  say({ kind: "done", functions: coverage.functions });
  coverage.close();
  parentPort?.close();
}

await run();
