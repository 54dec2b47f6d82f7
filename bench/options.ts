/** The command line of the bench. All problems are found before anything starts, and reported together. */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { UsageError } from "./failure.ts";
import { type Target, WORKLOADS, type Workload } from "./load/plan.ts";

export type LoadOptions = {
  readonly connections: number;
  readonly outstanding: number;
  readonly valueBytes: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Replaces `warmupSeconds` before the first round of each workload, in which most of the code is compiled. */
  readonly firstWarmupSeconds: number;
  readonly operations: number | undefined;
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly loadProcesses: number;
  /** Servers that run already. If there are none, the bench starts its own. */
  readonly targets: readonly Target[];
  readonly zooid: boolean;
  readonly zookeeper: boolean;
  /** Further arguments for `zooid ensemble`. */
  readonly zooidArgs: readonly string[];
  readonly folder: string;
  readonly json: string | undefined;
  readonly help: boolean;
};

export const LOAD_HELP = `Usage: npm run bench -- [options]              the load test
       npm run bench -- failover [options]     writers while leaders are killed
       npm run bench -- tree-apply [options]   the tree lanes alone
       npm run bench -- micro                  hot functions, one each
       npm run bench -- ceiling [options]      the load generator alone, against a server that does nothing

Starts three zooid nodes on free ports of this machine, drives them over ZooKeeper's protocol, and stops them.

  --connections N     connections, spread over the servers (default 30)
  --outstanding N     requests that each keeps under way (default 64)
  --value-bytes N     bytes of each value (default 128)
  --seconds N         measured time of each workload (default 10)
  --warmup-seconds N  time under load before it (default 2)
  --first-warmup-seconds N
                      the same before the first round of each workload (default 8): servers that
                      compile as they run, in a JVM or V8, are slow until they have
  --operations N      end a measurement early after so many operations
  --workloads LIST    of setData, create, getData (default: all three)
  --rounds N          repeat, and tell medians (default 1; 3 with --zookeeper)
  --load-processes N  processes that make the load (default 1)
  --target LIST       drive these servers (host:port,host:port) instead of starting zooid
  --zookeeper         also start Debian's ZooKeeper as three servers, and drive both in turn
  --no-zooid          with --zookeeper: ZooKeeper alone
  --zooid-args TEXT   further arguments for \`zooid ensemble\`, as --zooid-args="--lanes 2"
  --dir FOLDER        where the servers' data goes (default: the system's folder for temporary files)
  --json FILE         where the figures go (default: bench/results/<time>.json)
  --help              this text
`;

const STRINGS = [
  "connections",
  "outstanding",
  "value-bytes",
  "seconds",
  "warmup-seconds",
  "first-warmup-seconds",
  "operations",
  "workloads",
  "rounds",
  "load-processes",
  "target",
  "zooid-args",
  "dir",
  "json",
] as const;

/** Reads the options. Throws a `UsageError` that names every wrong one. */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const values = parsed(args);
  const problems: string[] = [];
  const integer = (name: string, range: IntegerRange): number => {
    return integerOption(values[name], { name, ...range }, problems);
  };
  const zookeeper = values["zookeeper"] === true;
  const options: LoadOptions = {
    connections: integer("connections", { fallback: 30, min: 1, max: 10_000 }),
    outstanding: integer("outstanding", { fallback: 64, min: 1, max: 4096 }),
    valueBytes: integer("value-bytes", { fallback: 128, min: 0, max: 1_000_000 }),
    seconds: integer("seconds", { fallback: 10, min: 1, max: 86_400 }),
    warmupSeconds: integer("warmup-seconds", { fallback: 2, min: 0, max: 3600 }),
    firstWarmupSeconds: integer("first-warmup-seconds", { fallback: 8, min: 0, max: 3600 }),
    operations:
      values["operations"] === undefined
        ? undefined
        : integer("operations", { fallback: 1, min: 1, max: 10 ** 12 }),
    workloads: workloadsOption(values["workloads"], problems),
    rounds: integer("rounds", { fallback: zookeeper ? 3 : 1, min: 1, max: 1000 }),
    loadProcesses: integer("load-processes", { fallback: 1, min: 1, max: 64 }),
    targets: targetsOption(values["target"], problems),
    zooid: values["zooid"] !== false,
    zookeeper,
    zooidArgs: String(values["zooid-args"] ?? "")
      .split(" ")
      .filter(Boolean),
    folder: String(values["dir"] ?? tmpdir()),
    json: values["json"] === undefined ? undefined : String(values["json"]),
    help: values["help"] === true,
  };
  if (!options.zooid && !zookeeper && options.targets.length === 0) {
    problems.push("--no-zooid leaves nothing to drive: add --zookeeper or --target");
  }
  if (options.loadProcesses > options.connections) {
    problems.push("--load-processes: each needs at least one of the --connections");
  }
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function parsed(args: readonly string[]): Values {
  const strings = Object.fromEntries(STRINGS.map((name) => [name, { type: "string" as const }]));
  const booleans = ["zookeeper", "zooid", "help"];
  const flags = Object.fromEntries(booleans.map((name) => [name, { type: "boolean" as const }]));
  try {
    const options = { ...strings, ...flags };
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
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

function workloadsOption(value: string | boolean | undefined, problems: string[]): Workload[] {
  if (value === undefined) return [...WORKLOADS];
  const names = String(value).split(",");
  const unknown = names.filter((name) => !WORKLOADS.some((workload) => workload === name));
  if (unknown.length > 0) {
    problems.push(`--workloads ${value}: each must be one of ${WORKLOADS.join(", ")}`);
  }
  return names.flatMap((name) => WORKLOADS.find((workload) => workload === name) ?? []);
}

function targetsOption(value: string | boolean | undefined, problems: string[]): Target[] {
  if (value === undefined) return [];
  const targets: Target[] = [];
  for (const text of String(value).split(",")) {
    const [, host, port] = text.match(/^\[?([^[\]]+?)\]?:(\d+)$/) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      problems.push(`--target ${text}: must be host:port`);
    } else {
      targets.push({ host, port: Number(port) });
    }
  }
  return targets;
}
