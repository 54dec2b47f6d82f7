/** `npm run fuzz`: fuzzes for a while, or runs one input again. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Failure } from "./fuzzer.ts";
import { fuzz } from "./pool.ts";
import { Summary } from "./summary.ts";
import { TARGETS } from "./targets/all.ts";

const HELP = `npm run fuzz -- [options]

Feeds zooid with bytes that nobody should send or find: random changes of right ones, guided by the code that they reach.

  --minutes M    how long; default 1
  --at-least N   goes on for longer, until each target has had so many inputs
  --inputs N     ends after so many inputs, of all targets together
  --seed S       of all chance; default: another each time, printed first
  --target T     one target, or several with commas; default: all
  --jobs J       threads; default: the number of processors
  --input FILE   runs the bytes of one file, or hex:…, with --target, and nothing else
  --help         this text

Targets: ${TARGETS.map(({ name }) => name).join(", ")}.
Exit code 1: an input failed. It is printed, made smaller, with how to run it again.`;

const HEX_BYTES_MAX = 1024;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    "at-least": { type: "string" },
    inputs: { type: "string" },
    seed: { type: "string" },
    target: { type: "string" },
    jobs: { type: "string", default: String(availableParallelism()) },
    input: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function usage(problem: string): never {
  process.stderr.write(`${problem}; npm run fuzz -- --help\n`);
  process.exit(2);
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  return value > 0 && Number.isFinite(value) ? value : usage(`--${option} ${text}: not above 0`);
}

function targetNames(): string[] {
  const known = TARGETS.map(({ name }) => name);
  const names = values.target?.split(",") ?? known;
  const unknown = names.find((name) => !known.includes(name));
  return unknown === undefined ? names : usage(`--target ${unknown}: unknown`);
}

function replay(given: string): number {
  const [name, ...others] = targetNames();
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined || others.length > 0) usage("--input needs one --target");
  const bytes = given.startsWith("hex:") ? Buffer.from(given.slice(4), "hex") : readFileSync(given);
  const before = process.threadCpuUsage();
  const behaviour = target.run(new Uint8Array(bytes));
  const { user, system } = process.threadCpuUsage(before);
  say(
    `${bytes.length} bytes: ${behaviour}, in ${((user + system) / 1000).toFixed(1)} ms of CPU time`,
  );
  return 0;
}

/** Where the bytes are, for a replay. */
function kept(failure: Failure): string {
  const { input, target } = failure;
  if (input.length <= HEX_BYTES_MAX) return `hex:${Buffer.from(input).toString("hex")}`;
  const name = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const file = join(tmpdir(), `zooid-fuzz-${target}-${name}`);
  writeFileSync(file, input);
  return file;
}

function tell(failure: Failure): void {
  const { target, seed, reason, input } = failure;
  say(`✗ ${target}, seed ${seed}, ${input.length} bytes: ${reason}`);
  say(`  again: npm run fuzz -- --target ${target} --input ${kept(failure)}\n`);
}

async function fuzzAll(): Promise<number> {
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : numberOf("seed", values.seed);
  const targets = targetNames();
  const jobs = numberOf("jobs", values.jobs);
  const inputs = values.inputs === undefined ? Infinity : numberOf("inputs", values.inputs);
  const minutes =
    values.inputs === undefined || process.argv.includes("--minutes")
      ? numberOf("minutes", values.minutes)
      : 24 * 60;
  say(`seed ${seed}, ${jobs} threads`);
  const least = values["at-least"];
  const atLeast = least === undefined ? 1 : numberOf("at-least", least);
  const summary = new Summary();
  const ms = minutes * 60_000;
  await fuzz({
    seed,
    targets,
    jobs,
    inputs,
    ms,
    isEnough: () => summary.fewestInputs(targets) >= atLeast,
    onReport: (report) => {
      if (report.kind === "failure") tell(report.failure);
      summary.add(report);
    },
  });
  say(summary.text());
  return summary.failures === 0 ? 0 : 1;
}

if (values.help) say(HELP);
else process.exitCode = values.input === undefined ? await fuzzAll() : replay(values.input);
