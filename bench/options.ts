/** The command line of the bench. All problems are found before anything starts, and reported together. */
import { randomInt } from "node:crypto";
import { availableParallelism, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { UsageError } from "./failure.ts";
import type { Address } from "./load/plan.ts";
import { WORK_NAMES, type WorkName } from "./load/work.ts";

export const PEERS = ["zookeeper", "etcd", "jetstream", "jetstream-fsync"] as const;
export type Peer = (typeof PEERS)[number];

/** What the clients of an ensemble are disturbed by, in the profile `operator`. */
export const DISTURBANCE_WORDS = [
  "status",
  "top",
  "metrics",
  "listing",
  "dashboards",
  "backup",
  "control",
] as const;
export type DisturbanceWord = (typeof DISTURBANCE_WORDS)[number];

export type BenchOptions = {
  /** The names of profiles, in the order in which they run. */
  readonly profiles: readonly string[];
  readonly peers: readonly Peer[];
  /** Servers that run already. If there are none, the bench starts its own. */
  readonly addresses: readonly Address[];
  readonly zooid: boolean;
  /** Further arguments for `zooid ensemble` and `zooid serve`. */
  readonly zooidArgs: readonly string[];
  readonly quick: boolean;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Replaces `warmupSeconds` before the first load of each target, in which most of the code is compiled. */
  readonly firstWarmupSeconds: number;
  readonly rounds: number;
  readonly loadProcesses: number;
  readonly valueBytes: number;
  readonly works: readonly WorkName[];
  readonly connections: number;
  readonly outstanding: number;
  readonly rates: readonly number[];
  readonly kills: number;
  readonly znodes: number | undefined;
  readonly writesPerSecond: number;
  readonly lanes: number;
  readonly batchSizes: readonly number[];
  readonly operations: number;
  readonly blocks: number;
  /** None: all. */
  readonly disturbances: readonly DisturbanceWord[];
  readonly nodes: readonly number[];
  readonly seed: number;
  readonly folder: string;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly markdown: string | undefined;
  readonly baseline: string | undefined;
  readonly against: string | undefined;
  readonly help: boolean;
};

const BATCH_SIZES = [1, 4, 16, 64, 256, 1024];
const BATCH_SIZE_MAX = 1024;
const NODES_MAX = 7;
const SEED_MAX = 2 ** 32 - 1;
const RATE_MAX = 10_000_000;

const STRINGS = [
  ...["peers", "target", "zooid-args", "seconds", "warmup-seconds", "first-warmup-seconds"],
  ...["rounds", "load-processes", "value-bytes", "works", "connections", "outstanding", "rates"],
  ...["kills", "znodes", "writes-per-second", "lanes", "batch-sizes", "operations"],
  ...["blocks", "disturbances", "nodes", "seed"],
  ...["dir", "json", "html", "markdown", "baseline", "against"],
] as const;
const BOOLEANS = ["zooid", "quick", "help"] as const;

/** Every option as the command line has it. */
export const OPTION_NAMES: readonly string[] = [
  ...STRINGS,
  ...BOOLEANS.map((name) => (name === "zooid" ? "no-zooid" : name)),
];

/** Reads the options. `known` are the names of the profiles. Throws a `UsageError` that names every wrong option. */
export function parseOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const problems: string[] = [];
  const { values, positionals } = parsed(args, problems);
  const integer = (name: string, range: IntegerRange): number => {
    return integerOption(values[name], { name, ...range }, problems);
  };
  const text = (name: string): string | undefined => {
    return values[name] === undefined ? undefined : String(values[name]);
  };
  for (const name of positionals.filter((each) => !known.includes(each))) {
    problems.push(`${name}: no such profile; there are ${known.join(", ")}`);
  }
  const quick = values["quick"] === true;
  const peers = listOption(values["peers"], { name: "peers", known: PEERS }, problems);
  const compares = peers.length > 0 || text("against") !== undefined;
  const options: BenchOptions = {
    profiles: positionals,
    peers,
    addresses: addressesOption(values["target"], problems),
    zooid: values["zooid"] !== false,
    zooidArgs: (text("zooid-args") ?? "").split(" ").filter(Boolean),
    quick,
    seconds: integer("seconds", { fallback: quick ? 2 : 10, min: 1, max: 86_400 }),
    warmupSeconds: integer("warmup-seconds", { fallback: quick ? 1 : 3, min: 0, max: 3600 }),
    firstWarmupSeconds: integer("first-warmup-seconds", {
      ...{ fallback: quick ? 5 : 10, min: 0, max: 3600 },
    }),
    rounds: integer("rounds", {
      ...{ fallback: roundsDefault({ positionals, compares, quick }), min: 1, max: 1000 },
    }),
    loadProcesses: integer("load-processes", { fallback: 1, min: 1, max: 64 }),
    valueBytes: integer("value-bytes", { fallback: 128, min: 0, max: 1_000_000 }),
    works: worksOption(values["works"], problems),
    connections: integer("connections", { fallback: 30, min: 1, max: 10_000 }),
    outstanding: integer("outstanding", { fallback: 64, min: 1, max: 4096 }),
    rates: integersOption(
      values["rates"],
      { name: "rates", fallback: [], max: RATE_MAX },
      problems,
    ),
    kills: integer("kills", { fallback: quick ? 3 : 10, min: 1, max: 1000 }),
    znodes:
      values["znodes"] === undefined
        ? undefined
        : integer("znodes", { fallback: 1000, min: 1000, max: 100_000_000 }),
    writesPerSecond: integer("writes-per-second", { fallback: 5000, min: 100, max: RATE_MAX }),
    lanes: integer("lanes", { fallback: Math.min(16, availableParallelism()), min: 1, max: 16 }),
    batchSizes: integersOption(
      values["batch-sizes"],
      { name: "batch-sizes", fallback: BATCH_SIZES, max: BATCH_SIZE_MAX },
      problems,
    ),
    operations: integer("operations", { fallback: 200_000, min: 1, max: 10_000_000 }),
    ...operatorOptions(values, quick, problems),
    folder: text("dir") ?? tmpdir(),
    json: text("json"),
    html: text("html"),
    markdown: text("markdown"),
    baseline: text("baseline"),
    against: text("against"),
    help: values["help"] === true,
  };
  problems.push(...conflictsOf(options));
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

function roundsDefault({
  positionals,
  compares,
  quick,
}: {
  readonly positionals: readonly string[];
  readonly compares: boolean;
  readonly quick: boolean;
}): number {
  // One look at a page says little, and takes a second.
  if (positionals.includes("dashboard")) return quick ? 3 : 10;
  return compares ? (quick ? 2 : 3) : 1;
}

function operatorOptions(
  values: Values,
  quick: boolean,
  problems: string[],
): Pick<BenchOptions, "blocks" | "disturbances" | "nodes" | "seed"> {
  const integer = (name: string, range: IntegerRange): number =>
    integerOption(values[name], { name, ...range }, problems);
  const nodes = { name: "nodes", fallback: quick ? [1] : [1, 3], max: NODES_MAX };
  return {
    disturbances: listOption(
      values["disturbances"],
      { name: "disturbances", known: DISTURBANCE_WORDS },
      problems,
    ),
    blocks: integer("blocks", { fallback: quick ? 6 : 40, min: 1, max: 10_000 }),
    nodes: integersOption(values["nodes"], nodes, problems),
    seed: integer("seed", { fallback: randomInt(SEED_MAX), min: 0, max: SEED_MAX }),
  };
}

function conflictsOf(options: BenchOptions): readonly string[] {
  const problems: string[] = [];
  if (!options.zooid && options.peers.length === 0 && options.addresses.length === 0) {
    problems.push("--no-zooid leaves nothing to drive: add --peers or --target");
  }
  if (options.addresses.length > 0 && options.against !== undefined) {
    problems.push("--against starts zooid, so it cannot be given with --target");
  }
  if (!options.zooid && options.against !== undefined) {
    problems.push("--against compares zooid, so it cannot be given with --no-zooid");
  }
  return problems;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** An unknown option is a problem like others, so that it does not hide them. */
function parsed(
  args: readonly string[],
  problems: string[],
): { readonly values: Values; readonly positionals: readonly string[] } {
  const strings = Object.fromEntries(STRINGS.map((name) => [name, { type: "string" as const }]));
  const flags = Object.fromEntries(BOOLEANS.map((name) => [name, { type: "boolean" as const }]));
  const { positionals, tokens } = parseArgs({
    args: [...args],
    options: { ...strings, ...flags },
    allowNegative: true,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const good: Record<string, string | boolean | undefined> = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const name = token.name.replace(/^no-/, "");
    const isString = STRINGS.some((each) => each === token.name);
    const isFlag = BOOLEANS.some((each) => each === name);
    if (!isString && !isFlag) problems.push(`${token.rawName}: no such option`);
    else if (isString && token.value === undefined)
      problems.push(`${token.rawName}: needs a value`);
    else if (isFlag && token.value !== undefined) problems.push(`${token.rawName}: takes no value`);
    else if (isString) good[token.name] = token.value;
    else good[name] = !token.rawName.startsWith("--no-");
  }
  return { values: good, positionals };
}

type IntegerRange = { readonly fallback: number; readonly min: number; readonly max: number };

/** Returns the number of an option, or `fallback` if it is missing. A wrong one is added to `problems`. */
export function integerOption(
  value: string | boolean | undefined,
  { name, fallback, min, max }: IntegerRange & { readonly name: string },
  problems: string[],
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (String(value).trim() !== "" && Number.isInteger(number) && number >= min && number <= max) {
    return number;
  }
  problems.push(`--${name} ${value}: must be an integer from ${min} to ${max}`);
  return fallback;
}

function integersOption(
  value: string | boolean | undefined,
  {
    name,
    fallback,
    max,
  }: { readonly name: string; readonly fallback: readonly number[]; readonly max: number },
  problems: string[],
): readonly number[] {
  if (value === undefined) return fallback;
  return String(value)
    .split(",")
    .map((each) => integerOption(each, { name, fallback: 1, min: 1, max }, problems));
}

function listOption<Name extends string>(
  value: string | boolean | undefined,
  { name, known }: { readonly name: string; readonly known: readonly Name[] },
  problems: string[],
): readonly Name[] {
  if (value === undefined) return [];
  return String(value)
    .split(",")
    .flatMap((each) => {
      const found = known.find((one) => one === each);
      if (found === undefined) {
        problems.push(`--${name} ${each}: must be one of ${known.join(", ")}`);
      }
      return found ?? [];
    });
}

function worksOption(value: string | boolean | undefined, problems: string[]): readonly WorkName[] {
  const works = listOption(value, { name: "works", known: WORK_NAMES }, problems);
  return value === undefined ? ["set", "create", "get"] : works;
}

function addressesOption(value: string | boolean | undefined, problems: string[]): Address[] {
  if (value === undefined) return [];
  const addresses: Address[] = [];
  for (const text of String(value).split(",")) {
    const [, host, port] = text.match(/^\[?([^[\]]+?)\]?:(\d+)$/) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      problems.push(`--target ${text}: must be host:port`);
    } else {
      addresses.push({ host, port: Number(port) });
    }
  }
  return addresses;
}
