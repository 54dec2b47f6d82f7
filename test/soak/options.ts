/** The soak's command line. Every problem is found before anything starts, and all are told together. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { UsageError } from "../../bench/failure.ts";
import { integerOption } from "../../bench/options.ts";
import { MUTANTS } from "../sim/mutants/all.ts";
import { FAULT_KINDS, FAULT_SUMMARIES, type FaultKind } from "./fault-plan.ts";

export type SoakOptions = {
  /** `streams`: fifty subscribers beside the load, and only faults that end connections. */
  readonly profile: Profile;
  readonly seconds: number;
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  readonly faults: readonly FaultKind[];
  /** Times of faults are multiplied by it. */
  readonly pace: number;
  readonly isolation: "auto" | "namespaces" | "proxy";
  /** A mistake of the simulator's list that the nodes are made with; undefined: they are as they are. */
  readonly mutant: string | undefined;
  readonly keep: boolean;
  readonly help: boolean;
};

const PROFILES = ["all", "streams"] as const;
type Profile = (typeof PROFILES)[number];
const MINUTES: Readonly<Record<Profile, number>> = { all: 10, streams: 5 };
const STREAM_FAULTS: readonly FaultKind[] = [
  "kill",
  "kill-most",
  "restart",
  "pause",
  "nats-kill",
  "nats-restart",
  "nats-pause",
];

export const SOAK_HELP: string = `Usage: npm run soak -- [options]

Runs an ensemble of real nodes over a clustered pair of nats-servers under load, breaks it in every way below, and checks
all that its clients see: no acknowledged write lost or done twice, reads that never go back, watches and changes that are
never missed, equal trees in the end. The report counts faults by kind, what clients did and were answered, snapshots cut and
installed, the digest of each node's tree and the longest pause of writes. The exit code is 0 if nothing was violated, 1 if
anything was (each with the name of its rule), 2 for a wrong command line, 130 if it was interrupted.

  --profile NAME   all (default), or streams: fifty subscribers of change streams and live copies beside the load, fast and slow,
                   from different places, while nodes and nats-servers are killed
  --minutes M      time under faults (default 10; with --profile streams 5)
  --seconds S      the same in seconds
  --seed N         draws the faults and the load (default: drawn, and printed)
  --nodes N        3 or 5 (default 3)
  --clients N      over ZooKeeper's protocol, beside one native client (default 6)
  --faults LIST    of those below (default: all that can be done here)
  --pace P         faults and the rests between them take P times as long (default 1)
  --isolation HOW  namespaces: each node in a network namespace; proxy: only a TCP proxy before NATS;
                   auto (default): namespaces where they are permitted
  --mutant NAME    a test of the soak: the nodes have this mistake (npm run sim:mutants -- --list names them), and it is to
                   be found
  --keep           keep data folders and logs if anything was violated, and say where
  --help           this text

Faults:
${FAULT_KINDS.map((kind) => `  ${kind.padEnd(14)} ${FAULT_SUMMARIES[kind]}`).join("\n")}
`;

const STRINGS = [
  "profile",
  "minutes",
  "seconds",
  "seed",
  "nodes",
  "clients",
  "faults",
  "pace",
  "isolation",
  "mutant",
];
const ISOLATIONS = ["auto", "namespaces", "proxy"] as const;
const NODES = ["3", "5"];
const SEED_MAX = 2 ** 32 - 1;

/** Throws a `UsageError`. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const values = parsed(args);
  const problems: string[] = [];
  const text = (name: string, fallback: string): string => String(values[name] ?? fallback);
  const isolation = ISOLATIONS.find((each) => each === text("isolation", "auto"));
  if (isolation === undefined) problems.push(`--isolation: one of ${ISOLATIONS.join(", ")}`);
  if (!NODES.includes(text("nodes", "3"))) problems.push("--nodes: 3 or 5");
  if (values["minutes"] !== undefined && values["seconds"] !== undefined) {
    problems.push("--minutes and --seconds: one of the two");
  }
  const profile = PROFILES.find((each) => each === text("profile", "all"));
  if (profile === undefined) problems.push(`--profile: one of ${PROFILES.join(", ")}`);
  const fallback = String(MINUTES[profile ?? "all"]);
  const minutes = number("minutes", text("minutes", fallback), problems);
  const seconds = number("seconds", text("seconds", String(minutes * 60)), problems);
  const options: SoakOptions = {
    profile: profile ?? "all",
    seconds,
    seed: integerOption(
      values["seed"],
      { name: "seed", fallback: randomInt(SEED_MAX), min: 0, max: SEED_MAX },
      problems,
    ),
    nodes: Number(text("nodes", "3")),
    clients: integerOption(
      values["clients"],
      { name: "clients", fallback: 6, min: 1, max: 100 },
      problems,
    ),
    faults: faultsOption(
      values["faults"],
      profile === "streams" ? STREAM_FAULTS : FAULT_KINDS,
      problems,
    ),
    pace: number("pace", text("pace", "1"), problems),
    isolation: isolation ?? "auto",
    mutant: mutantOption(values["mutant"], problems),
    keep: values["keep"] === true,
    help: values["help"] === true,
  };
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

function parsed(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const strings = Object.fromEntries(STRINGS.map((name) => [name, { type: "string" as const }]));
  const flags = { keep: { type: "boolean" as const }, help: { type: "boolean" as const } };
  try {
    return parseArgs({ args: [...args], options: { ...strings, ...flags } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function number(name: string, text: string, problems: string[]): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  problems.push(`--${name} ${text}: must be a number above 0`);
  return 1;
}

function mutantOption(value: string | boolean | undefined, problems: string[]): string | undefined {
  if (value === undefined) return undefined;
  const mutant = MUTANTS.find(({ name }) => name === value);
  if (mutant === undefined) problems.push(`--mutant ${value}: unknown`);
  return mutant?.name;
}

function faultsOption(
  value: string | boolean | undefined,
  fallback: readonly FaultKind[],
  problems: string[],
): FaultKind[] {
  if (value === undefined) return [...fallback];
  const names = String(value).split(",");
  const unknown = names.filter((name) => !FAULT_KINDS.some((kind) => kind === name));
  if (unknown.length > 0) problems.push(`--faults ${unknown.join(",")}: unknown`);
  return FAULT_KINDS.filter((kind) => names.includes(kind));
}
