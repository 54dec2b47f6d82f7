/** The fuzzer's own test: what is wrong with a target it finds, makes small, and finds again. */
import test from "ava";
import { decodeClientFrame, encodeClientFrame } from "../../../protocol/native.ts";
import { Coverage } from "../../fuzz/coverage.ts";
import { type Failure, Fuzzer, type FuzzerOptions } from "../../fuzz/fuzzer.ts";
import { minimise } from "../../fuzz/minimise.ts";
import { must, type Target, utf8 } from "../../fuzz/target.ts";
import { varyCbor } from "../../fuzz/targets/cbor-vary.ts";

type Run = Target["run"];

function targetOf(run: Run, change: Partial<Target> = {}): Target {
  const seeds = (): Uint8Array[] => [new Uint8Array(8)];
  return { name: "made up", seeds, tokens: [], bytesMax: 4096, run, ...change };
}

function fuzzed(
  target: Target,
  inputs: number,
  seed = 1,
  more: Pick<FuzzerOptions, "measureApart"> = {},
): Failure[] {
  const failures: Failure[] = [];
  const coverage = new Coverage();
  const onFailure = (failure: Failure): void => void failures.push(failure);
  const onInput = (): void => undefined;
  const fuzzer = new Fuzzer({ target, seed, coverage, onInput, onFailure, ...more });
  while (fuzzer.inputs < inputs && failures.length === 0) fuzzer.run({ ms: 60_000, inputs: 256 });
  // What was found is not told again.
  fuzzer.run({ ms: 60_000, inputs: 64 });
  coverage.close();
  return failures;
}

/** How much of the word the bytes begin with. */
function matched(bytes: Uint8Array, word: string): number {
  let length = 0;
  while (length < word.length && bytes[length] === word.charCodeAt(length)) length += 1;
  return length;
}

test("a failure behind several steps is found by the behaviour on the way to it, and made small", (t) => {
  const run: Run = (bytes) => {
    const length = matched(bytes, "zoo!");
    must(length < 4, "no zoo");
    return `matched ${length}`;
  };
  const [failure, ...others] = fuzzed(targetOf(run, { tokens: ["z", "o", "!"].map(utf8) }), 20_000);
  t.deepEqual(others, [], "one failure is told once");
  t.is(Buffer.from(failure?.input ?? []).toString(), "zoo!");
  t.regex(failure?.reason ?? "", /no zoo/);
});

test("a failure behind code that the target says nothing about is found by that code", (t) => {
  const items = [{ kind: "credit", stream: 3, credits: 1 }] as const;
  const seed = new Uint8Array(encodeClientFrame({ sequence: 1, items }));
  const run: Run = (bytes) => {
    let kinds: string[] = [];
    try {
      kinds = decodeClientFrame(bytes).items.map(({ kind }) => kind);
    } catch {
      return "refused";
    }
    must(!kinds.includes("closeStream"), "a stream is closed");
    return "decoded";
  };
  t.like(fuzzed(targetOf(run, { seeds: () => [seed], vary: varyCbor }), 20_000), [
    { target: "made up" },
  ]);
});

test("what is not linear is found, by the time of the thread itself", (t) => {
  let work = 0;
  const run: Run = (bytes) => {
    for (let one = 0; one < bytes.length; one += 1) {
      for (let other = 0; other < 4 * bytes.length; other += 1) work += other;
    }
    return "read";
  };
  const [failure] = fuzzed(targetOf(run, { bytesMax: 4096 }), 2_000);
  t.is(failure?.signature, "slow");
  t.true(work > 0);
});

test("what is slow only where it is fuzzed is no failure, and is seldom measured apart", (t) => {
  let runs = 0;
  const run: Run = (bytes) => {
    runs += 1;
    const { user } = process.threadCpuUsage();
    while (runs < 50 && process.threadCpuUsage().user - user < 40_000);
    return String(bytes.length);
  };
  let measured = 0;
  const measureApart = (): number => {
    measured += 1;
    return 1;
  };
  t.deepEqual(fuzzed(targetOf(run), 256, 1, { measureApart }), []);
  t.true(measured > 0);
  t.true(measured < 4);
});

test("the same seed tries the same inputs", (t) => {
  const tried = (seed: number): string[] => {
    const inputs: string[] = [];
    const run: Run = (bytes) => {
      const input = Buffer.from(bytes).toString("hex");
      // On a busy machine one that seemed slow is run again, to be measured.
      if (input !== inputs.at(-1)) inputs.push(input);
      return String(bytes[0]);
    };
    fuzzed(targetOf(run), 2_000, seed);
    return inputs;
  };
  t.deepEqual(tried(5), tried(5));
  t.notDeepEqual(tried(5), tried(6));
});

test("code is new once, and only once it is kept", (t) => {
  const coverage = new Coverage();
  coverage.isNew(true);
  const frame = encodeClientFrame({ sequence: 1, items: [{ kind: "ping" }] });
  decodeClientFrame(frame);
  t.true(coverage.isNew(false));
  decodeClientFrame(frame);
  t.true(coverage.isNew(true));
  decodeClientFrame(frame);
  t.false(coverage.isNew(true));
  coverage.close();
});

test("a smaller input fails in the same way", (t) => {
  const input = Buffer.from("something long with a bad word in it, and more behind");
  const smallest = minimise(new Uint8Array(input), (bytes) => Buffer.from(bytes).includes("bad"));
  t.is(Buffer.from(smallest).toString(), "bad");
});
