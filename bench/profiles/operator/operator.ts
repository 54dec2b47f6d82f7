/**
 * `npm run bench -- operator`: what clients of a large tree notice of an operator. Each disturbance is measured in three ways, in turn:
 * nothing disturbs (`undisturbed`), the same tools ask another ensemble with the same tree (`other asked`), and they ask the ensemble under load
 * (`asked`). Tools are processes which take processor and disk from whatever else runs on the machine; both of the latter pay for that, and on a
 * machine of its own an ensemble would not. So asked beside other asked is what the ensemble itself does for the tools, and asked beside
 * undisturbed is that and the tools.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fill } from "../../load/zookeeper/fill.ts";
import { cpuSecondsOf } from "../../processes.ts";
import type { Measurement } from "../../report/measurement.ts";
import { count } from "../../report/table.ts";
import type { Target } from "../../targets/target.ts";
import { startZooid } from "../../targets/zooid.ts";
import type { LoadCase } from "../cases.ts";
import { runCase } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { type Disturbance, DISTURBANCES, type Disturbing } from "./disturbances.ts";
import { type Buckets, bucketsOf, longestMs } from "./loop-times.ts";
import { runTool } from "./tool.ts";

const ZNODES = 1_000_000;
const NODES = [1, 3];
const WORK = "mixed 50/50";
const CONNECTIONS = [1, 30];
/** No snapshot is cut while something else is measured. */
const NO_SNAPSHOTS = "--snapshot-every-bytes=68719476736";
/** Names of the three ways, which stand where other profiles have servers. */
const ASKED = "asked";
const OTHER = "other asked";
const UNDISTURBED = "undisturbed";

export async function operator(context: ProfileContext): Promise<void> {
  const { options, screen, signal } = context;
  const folder = await mkdtemp(join(options.folder, "zooid-bench-operator-"));
  try {
    const backup = await backupOfFilled(context, folder);
    const start = (nodes: number): Promise<Target> => {
      screen.status(`restoring ${nodes} ${nodes === 1 ? "node" : "nodes"} ...`);
      return startRestored(context, { nodes, backup });
    };
    await using other = await start(1);
    for (const nodes of options.quick ? NODES.slice(0, 1) : NODES) {
      await using target = await start(nodes);
      const what = `${nodes} ${nodes === 1 ? "node" : "nodes"}`;
      await measureWithoutLoad(context, { folder, target, what });
      for (const connections of CONNECTIONS) {
        const name = `${what}, ${connections}x1`;
        const load: LoadCase = {
          ...{ name, work: WORK, connections, outstanding: 1, valueBytes: options.valueBytes },
        };
        for (let round = 1; round <= options.rounds; round += 1) {
          await measureRound(context, { folder, target, other, load, round });
        }
      }
    }
    signal.throwIfAborted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes a tree once, and a backup of it, from which every ensemble begins. */
async function backupOfFilled(
  { options, screen, signal }: ProfileContext,
  folder: string,
): Promise<string> {
  screen.status("starting a node to fill ...");
  const znodes = options.znodes ?? ZNODES;
  await using target = await startZooid({ folder, args: options.zooidArgs, nodes: 1 }, signal);
  const seconds = await fill(
    target.addresses,
    { znodes, valueBytes: options.valueBytes },
    { screen, signal },
  );
  screen.status(`filled ${count(znodes)} znodes in ${seconds.toFixed(0)} s; backing them up`);
  const backup = join(folder, "backup");
  const [data = ""] = target.folders ?? [];
  const [address = { host: "", port: 0 }] = target.addresses;
  const server = `${address.host}:${address.port}`;
  await runTool(["backup", data, backup, "--server", server], signal);
  return backup;
}

function startRestored(
  { options: { folder, zooidArgs }, signal }: ProfileContext,
  { nodes, backup }: { readonly nodes: number; readonly backup: string },
): Promise<Target> {
  const ids = Array.from({ length: nodes }, (_, index) => index + 1);
  const args = ["--admin-port=0", NO_SNAPSHOTS, ...zooidArgs];
  const prepare = async (dataFolder: string): Promise<void> => {
    for (const id of ids) {
      const whose = [`--id=${id}`, `--members=${ids.join(",")}`];
      await runTool(
        ["restore", backup, `--data-dir=${join(dataFolder, `${id}`)}`, ...whose],
        signal,
      );
    }
  };
  return startZooid({ folder, nodes, args, prepare }, signal);
}

type WithoutLoad = { readonly folder: string; readonly target: Target; readonly what: string };

/** What the servers do for the tools, beside what they do when nobody asks anything. It is there whatever else the machine does. */
async function measureWithoutLoad(context: ProfileContext, of: WithoutLoad): Promise<void> {
  const { options, screen, signal, record } = context;
  const { folder, target, what } = of;
  for (const disturbance of [...DISTURBANCES, undefined]) {
    const name = `${what}, no clients: ${disturbance?.name ?? "nobody asks"}`;
    screen.status(name);
    const disturbing = disturbance?.begin(target, folder);
    let problems: readonly string[] = [];
    let percent: number;
    try {
      await disturbing?.underWay?.(signal);
      await delay(options.warmupSeconds * 1000, undefined, { signal });
      const [before, startedMs] = [cpuSecondsOf(target.processes), performance.now()];
      await delay(options.seconds * 1000, undefined, { signal });
      const seconds = (performance.now() - startedMs) / 1000;
      percent = (100 * (cpuSecondsOf(target.processes) - before)) / seconds;
    } finally {
      problems = (await disturbing?.stop()) ?? [];
    }
    const times = disturbing === undefined ? {} : { timesDone: disturbing.times() };
    const metrics = { serverCpuPercent: percent, ...times };
    const way = disturbance === undefined ? UNDISTURBED : ASKED;
    record({ profile: "operator", name, target: way, round: 1, metrics, problems });
  }
}

type Round = {
  readonly folder: string;
  /** The ensemble under load. */
  readonly target: Target;
  readonly other: Target;
  readonly load: LoadCase;
  readonly round: number;
};

/** Every other round goes the other way round, so that a machine or compiler that becomes faster or slower does not favour one way. */
async function measureRound(context: ProfileContext, of: Round): Promise<void> {
  const isOdd = of.round % 2 === 1;
  const steps = [UNDISTURBED_STEP, ...DISTURBANCES.flatMap(stepsOf)];
  for (const { way, disturbance, isOther } of isOdd ? steps : steps.toReversed()) {
    const whom = isOther ? of.other : of.target;
    const name = disturbance === undefined ? of.load.name : nameOf(of, disturbance);
    const begin =
      disturbance === undefined ? undefined : (): Disturbing => disturbance.begin(whom, of.folder);
    const measured = await measure(context, of, { name, way, begin });
    if (disturbance !== undefined) context.record(measured);
    // One load stands beside all of the round's.
    else for (const each of DISTURBANCES) context.record({ ...measured, name: nameOf(of, each) });
  }
}

type Step = {
  readonly way: string;
  readonly disturbance: Disturbance | undefined;
  /** Whether the other ensemble is asked. */
  readonly isOther: boolean;
};

const UNDISTURBED_STEP: Step = { way: UNDISTURBED, disturbance: undefined, isOther: false };

function stepsOf(disturbance: Disturbance): readonly Step[] {
  return [
    { way: ASKED, disturbance, isOther: false },
    { way: OTHER, disturbance, isOther: true },
  ];
}

function nameOf({ load }: Round, { name }: Disturbance): string {
  return `${load.name}: ${name}`;
}

type Way = {
  readonly name: string;
  readonly way: string;
  readonly begin: (() => Disturbing) | undefined;
};

async function measure(
  context: ProfileContext,
  { target, load, round }: Round,
  { name, way, begin }: Way,
): Promise<Measurement> {
  const before = await bucketsOfAll(target);
  const disturbing = begin?.();
  let measured: Measurement;
  let problems: readonly string[] = [];
  try {
    await disturbing?.underWay?.(context.signal);
    measured = await runCase(context, target, {
      ...{ profile: "operator", case: { ...load, name }, round },
    });
  } finally {
    problems = (await disturbing?.stop()) ?? [];
  }
  const times = disturbing?.times();
  const after = await bucketsOfAll(target);
  return {
    ...measured,
    target: way,
    metrics: {
      ...measured.metrics,
      ...(times === undefined ? {} : { timesDone: times }),
      turnMsMax: longestMs("zooid_turn_seconds", { before, after }),
      loopDelayMsMax: longestMs("zooid_event_loop_delay_seconds", { before, after }),
    },
    problems: [...(measured.problems ?? []), ...problems],
  };
}

/** Asked before and after a load. It is warmed up in between, so that this costs no client anything that is measured. */
async function bucketsOfAll({ adminUrls = [] }: Target): Promise<Buckets> {
  const all = await Promise.all(
    adminUrls.map(async (url, node) =>
      bucketsOf(await (await fetch(`${url}/metrics`)).text(), node),
    ),
  );
  return new Map(all.flat());
}
