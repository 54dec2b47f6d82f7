/** What the main thread and the threads that fuzz tell each other. */
import type { Failure } from "./fuzzer.ts";

/** The largest input that the main thread can read from the shared memory. */
export const INPUT_BYTES_MAX: number = 2 * 1024 * 1024;

export type ThreadData = {
  readonly seed: number;
  readonly targets: readonly string[];
  /** At most, of all targets together. */
  readonly inputs: number;
  /** Two numbers of 32 bits, a count of inputs and (target << 24 | length), then the bytes of the input that runs. */
  readonly shared: SharedArrayBuffer;
};

export type ThreadReport =
  | { readonly kind: "failure"; readonly failure: Failure }
  | {
      readonly kind: "slice";
      readonly target: string;
      readonly inputs: number;
      readonly ms: number;
      readonly behaviours: number;
      readonly corpus: number;
      readonly cpuMsMax: number;
    }
  | { readonly kind: "done"; readonly functions: number };
