/** `npm run bench -- failover` measures how long writers of the surviving servers wait when the leader is killed. */
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SERVERS } from "../ensembles/zookeeper.ts";
import { UsageError } from "../failure.ts";
import { integerOption } from "../options.ts";
import { machine, table, writeJsonFile } from "../report.ts";
import { median } from "../rounds.ts";
import type { Screen } from "../screen.ts";
import { type Servers, startAll, zooidServers, zooKeeperServers } from "./servers.ts";
import { type Acknowledgement, Writer } from "./writer.ts";

/** The time between a restart and the next kill. After it all writers write again, and the code of the new process is compiled. */
const SETTLE_MS = 2_000;

export const FAILOVER_HELP = `Usage: npm run bench -- failover [options]

Starts three zooid nodes with a writer on each, kills the leader with kill -9, starts it again, and so on.

  --rounds N          leaders to kill (default 10)
  --zookeeper         the same with Debian's ZooKeeper afterwards
  --no-zooid          with --zookeeper: ZooKeeper alone
  --zooid-args TEXT   further arguments for \`zooid serve\`, as --zooid-args="--heartbeat-interval-ms 50"
  --dir FOLDER        where the servers' data goes (default: the system's folder for temporary files)
  --json FILE         where the figures go (default: bench/results/failover-<time>.json)
  --help              this text
`;

export type FailoverOptions = {
  readonly rounds: number;
  readonly zooid: boolean;
  readonly zookeeper: boolean;
  readonly zooidArgs: readonly string[];
  readonly folder: string;
  readonly json: string | undefined;
  readonly help: boolean;
};

type Round = {
  readonly ensemble: string;
  readonly round: number;
  readonly killed: number;
  /** The time from the kill to the first acknowledgement, on any survivor, of a write that was issued after the kill. */
  readonly firstWriteMs: number;
  /** The longest time without an acknowledgement that a survivor's writer saw. */
  readonly longestGapMs: number;
  /** How many connections to survivors ended. */
  readonly losses: number;
};

/** Reads the options. Throws a `UsageError` that names every wrong one. */
export function parseFailoverOptions(args: readonly string[]): FailoverOptions {
  const values = parsed(args);
  const problems: string[] = [];
  const options: FailoverOptions = {
    rounds: integerOption(
      values["rounds"],
      { name: "rounds", fallback: 10, min: 1, max: 1000 },
      problems,
    ),
    zooid: values["zooid"] !== false,
    zookeeper: values["zookeeper"] === true,
    zooidArgs: String(values["zooid-args"] ?? "")
      .split(" ")
      .filter(Boolean),
    folder: String(values["dir"] ?? tmpdir()),
    json: values["json"] === undefined ? undefined : String(values["json"]),
    help: values["help"] === true,
  };
  if (!options.zooid && !options.zookeeper) {
    problems.push("--no-zooid leaves nothing to kill: add --zookeeper");
  }
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return options;
}

function parsed(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        ...{ rounds: text, "zooid-args": text, dir: text, json: text },
        ...{ zookeeper: flag, zooid: flag, help: flag },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export async function failover(
  options: FailoverOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = new Date().toISOString();
  const rounds: Round[] = [];
  try {
    if (options.zooid) {
      await using servers = await zooidServers(options.folder, options.zooidArgs);
      await runRounds(servers, options, { screen, signal, rounds });
    }
    if (options.zookeeper) {
      await using servers = await zooKeeperServers(options.folder);
      await runRounds(servers, options, { screen, signal, rounds });
    }
  } finally {
    // This is reported after a failure or Ctrl-C too, since the rounds before it are valid.
    if (rounds.length > 0) {
      screen.print(`\n${reportText(rounds)}`);
      const file = options.json ?? `bench/results/failover-${startedAt.replaceAll(":", "-")}.json`;
      const medians = namesOf(rounds).map((name) => figuresOf(name, rounds));
      await writeJsonFile(file, { startedAt, machine: machine(), options, medians, rounds });
      screen.print(`\nfigures: ${file}`);
    }
  }
}

type Run = { readonly screen: Screen; readonly signal: AbortSignal; readonly rounds: Round[] };

async function runRounds(
  servers: Servers,
  options: FailoverOptions,
  { screen, signal, rounds }: Run,
): Promise<void> {
  screen.status(`starting ${servers.name} ...`);
  await startAll(servers, signal);
  const writers = new Map<number, Writer>();
  for (const [id, target] of servers.targets) {
    writers.set(id, new Writer(target, `/zooid-bench-failover-${id}`));
  }
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      screen.status(`${servers.name} ${round}/${options.rounds}`);
      await delay(SETTLE_MS, undefined, { signal });
      const result = await runRound(servers, writers, { round, signal });
      rounds.push(result);
      screen.print(roundLine(result));
    }
  } finally {
    for (const writer of writers.values()) writer.stop();
  }
}

async function runRound(
  servers: Servers,
  writers: ReadonlyMap<number, Writer>,
  { round, signal }: { readonly round: number; readonly signal: AbortSignal },
): Promise<Round> {
  const killed = await servers.leader(signal);
  const survivors = SERVERS.filter((id) => id !== killed).flatMap((id) => writers.get(id) ?? []);
  for (const writer of survivors) writer.take();
  const lossesBefore = lossesOf(survivors);
  const killedMs = servers.kill(killed);
  const firsts = await Promise.all(survivors.map((writer) => writer.issuedSince(killedMs, signal)));
  const gaps = survivors.map((writer) => longestGapMs(killedMs, writer.take()));
  const losses = lossesOf(survivors) - lossesBefore;
  await servers.start(killed, signal);
  return {
    ensemble: servers.name,
    round,
    killed,
    firstWriteMs: Math.min(...firsts.map(({ atMs }) => atMs)) - killedMs,
    longestGapMs: Math.max(...gaps),
    losses,
  };
}

function lossesOf(writers: readonly Writer[]): number {
  return writers.reduce((sum, { losses }) => sum + losses, 0);
}

/** Returns the longest time between two acknowledgements, beginning with the last one before the kill. */
function longestGapMs(killedMs: number, acknowledgements: readonly Acknowledgement[]): number {
  let longest = 0;
  let beforeMs = killedMs;
  for (const { atMs } of acknowledgements) {
    longest = Math.max(longest, atMs - beforeMs);
    beforeMs = atMs;
  }
  return longest;
}

function roundLine(round: Round): string {
  const { ensemble, killed, firstWriteMs, longestGapMs: gapMs, losses } = round;
  const lost = losses === 0 ? "" : `, ${losses} connections to survivors lost`;
  return `${ensemble} round ${round.round}: killed server ${killed}, first write after ${ms(firstWriteMs)} ms, longest gap ${ms(gapMs)} ms${lost}`;
}

function namesOf(rounds: readonly Round[]): readonly string[] {
  return [...new Set(rounds.map(({ ensemble }) => ensemble))];
}

type Figures = {
  readonly ensemble: string;
  readonly rounds: number;
  readonly firstWriteMs: { readonly median: number; readonly max: number };
  readonly longestGapMs: { readonly median: number; readonly max: number };
  readonly losses: number;
};

function figuresOf(ensemble: string, all: readonly Round[]): Figures {
  const rounds = all.filter((round) => round.ensemble === ensemble);
  const of = (pick: (round: Round) => number): Figures["firstWriteMs"] => {
    const values = rounds.map(pick);
    return { median: median(values), max: Math.max(...values) };
  };
  return {
    ensemble,
    rounds: rounds.length,
    firstWriteMs: of((round) => round.firstWriteMs),
    longestGapMs: of((round) => round.longestGapMs),
    losses: rounds.reduce((sum, { losses }) => sum + losses, 0),
  };
}

function reportText(rounds: readonly Round[]): string {
  const head = ["", "rounds", "first write ms", "max", "longest gap ms", "max", "lost"];
  const rows = namesOf(rounds).map((name) => {
    const { firstWriteMs, longestGapMs: gap, losses, rounds: count } = figuresOf(name, rounds);
    const times = [firstWriteMs.median, firstWriteMs.max, gap.median, gap.max].map(ms);
    return [name, String(count), ...times, String(losses)];
  });
  return `after kill -9 of the leader; medians, and the worst round\n${table([head, ...rows])}`;
}

function ms(value: number): string {
  return value.toFixed(0);
}
