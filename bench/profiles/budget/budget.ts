/**
 * `npm run bench -- budget` tells what one write costs on each node: processor time, wake-ups, system calls, messages, bytes, and the
 * steps of actors. The nodes run as they always do while Linux and nats-server count; steps and system calls are counted apart, since
 * looking at them costs time.
 */
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "../../failure.ts";
import type { Address } from "../../load/plan.ts";
import { type LoadResult, runLoad } from "../../load/run.ts";
import { environmentOf, environmentText } from "../../report/environment.ts";
import { writeText } from "../../report/files.ts";
import { fourLetterWord } from "../../targets/target.ts";
import { startZooid } from "../../targets/zooid.ts";
import { rootName } from "../load.ts";
import type { ProfileContext } from "../profile.ts";
import { countersOf, type ProcessCounters, since } from "./counters.ts";
import { markdownTable, perWrite } from "./markdown.ts";
import { type NatsCounts, NatsMonitor } from "./nats-monitor.ts";
import { StepsNodes } from "./steps-nodes.ts";
import { stepsTable } from "./steps-table.ts";
import { hasStrace, systemCallsDuring } from "./strace.ts";
import { callsTable } from "./calls-table.ts";

const IDLE_MS = 3000;
const CLIENTS = 30;
/** With fewer writes a second, what is taken off for the work without a load is more than what is left. */
const WRITES_LEAST = 50;
const TOO_FEW = `! fewer than ${WRITES_LEAST} writes/s: these numbers say nothing; measure on a quiet machine\n`;
/** A thread with fewer wake-ups for one write is left out of the tables, unless its processor time is worth telling. */
const WAKE_UPS_LEAST = 0.05;
const CPU_US_LEAST = 5;
/** A step that happens less often for one write is left out. Batches of many clients share their steps. */
const LONE_STEPS_LEAST = 0.1;
const STEPS_LEAST = 0.02;

export type Scenario = {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly connections: number;
};

/** What a process is to the writes: a node by its role, or nats-server. */
export type Role = { readonly label: string; readonly pid: number };

export async function budget(context: ProfileContext): Promise<void> {
  const environment = environmentText(environmentOf(context.options.folder, []));
  const parts = [`\`\`\`\n${environment}\`\`\`\n`, await outside(context), await inside(context)];
  const text = parts.join("\n");
  context.screen.print(text);
  if (context.options.markdown !== undefined) await writeText(context.options.markdown, text);
}

/** The nodes as they always run, seen from outside. */
async function outside(context: ProfileContext): Promise<string> {
  const { options, screen, signal } = context;
  await using nats = await NatsMonitor.start();
  const args = [...options.zooidArgs, `--nats=${nats.url}`];
  screen.status("starting zooid ...");
  await using target = await startZooid({ folder: options.folder, args }, signal);
  const order = await rolesOf(target.addresses);
  const roles = order.map(({ index, label }): Role => {
    const pid = target.processes.find((each) => each.label === `node ${index + 1}`)?.pid;
    if (pid === undefined) throw new BenchError(`node ${index + 1} has no process`);
    return { label, pid };
  });
  const all = [...roles, { label: "nats-server", pid: nats.pid }];
  const scenarios = scenariosOf(target.addresses, order);
  const [first] = scenarios;
  if (first === undefined) throw new BenchError("there is nothing to measure");
  await load(context, { ...first, warmupSeconds: options.firstWarmupSeconds });
  screen.status("counting what the nodes do without a load ...");
  const idleStart = all.map(({ pid }) => countersOf(pid));
  const idleNats = await nats.counts();
  await delay(IDLE_MS, undefined, { signal });
  const idle = all.map(({ pid }, index) => since(at(idleStart, index), countersOf(pid)));
  const idleMessages = difference(idleNats, await nats.counts());
  const texts = [idleTable(all, idle, idleMessages)];
  for (const scenario of scenarios) {
    screen.status(`counting: ${scenario.name}`);
    texts.push(await countScenario(context, scenario, { all, idle, idleMessages, nats }));
  }
  if (hasStrace()) {
    for (const scenario of scenarios.filter(({ connections }) => connections === 1).slice(0, 1)) {
      screen.status(`counting system calls: ${scenario.name}`);
      texts.push(await systemCalls(context, scenario, all));
    }
  }
  return texts.join("\n");
}

/** The steps of actors, which the nodes count themselves. */
async function inside(context: ProfileContext): Promise<string> {
  const { options, screen } = context;
  screen.status("starting nodes that count their steps ...");
  await using nodes = await StepsNodes.start(options.folder);
  const order = await rolesOf(nodes.addresses);
  const texts: string[] = [];
  for (const scenario of scenariosOf(nodes.addresses, order)) {
    screen.status(`counting steps: ${scenario.name}`);
    let counting = Promise.resolve<unknown>(undefined);
    const result = await load(context, {
      ...scenario,
      warmupSeconds: options.warmupSeconds,
      onMeasuring: () => {
        counting = nodes.counts();
      },
    });
    await counting;
    const counts = await nodes.counts();
    const own = order.map(({ index, label }) => ({ label, counts: counts[index] }));
    const least = scenario.connections === 1 ? LONE_STEPS_LEAST : STEPS_LEAST;
    const writes = Math.max(1, result.operations);
    texts.push(stepsTable(scenario.name, own, { writes, least }));
  }
  return texts.join("\n");
}

type Ordered = { readonly index: number; readonly label: string };

/** The node that the lone client uses comes first, then the leader, then the third. */
async function rolesOf(addresses: readonly Address[]): Promise<readonly Ordered[]> {
  for (;;) {
    const answers = await Promise.all(addresses.map((address) => fourLetterWord(address, "srvr")));
    const leader = answers.findIndex((answer) => /^Mode: leader$/m.test(answer ?? ""));
    const followers = answers.flatMap((answer, index) => {
      return /^Mode: follower$/m.test(answer ?? "") ? [index] : [];
    });
    const [own, other] = followers;
    if (leader >= 0 && own !== undefined && other !== undefined) {
      return [
        { index: own, label: "follower A" },
        { index: leader, label: "leader" },
        { index: other, label: "follower B" },
      ];
    }
    await delay(100);
  }
}

function scenariosOf(
  addresses: readonly Address[],
  order: readonly Ordered[],
): readonly Scenario[] {
  const one = (role: number): readonly Address[] => {
    const address = addresses[order[role]?.index ?? -1];
    return address === undefined ? [] : [address];
  };
  return [
    { name: "a lone write through follower A", addresses: one(0), connections: 1 },
    { name: "a lone write through the leader", addresses: one(1), connections: 1 },
    { name: `a write of ${CLIENTS} x 1 over all nodes`, addresses, connections: CLIENTS },
  ];
}

type LoadOrder = Scenario & {
  readonly warmupSeconds: number;
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
};

function load({ options, signal }: ProfileContext, order: LoadOrder): Promise<LoadResult> {
  const { addresses, connections, warmupSeconds, onMeasuring, onMeasured } = order;
  return runLoad(
    {
      ...{ protocol: "zookeeper", addresses, work: "set", connections, outstanding: 1 },
      ratePerSecond: undefined,
      valueBytes: options.valueBytes,
      warmupSeconds,
      seconds: options.seconds,
      root: rootName(),
      cleanUp: false,
    },
    {
      ...{ processes: 1, signal },
      ...(onMeasuring === undefined ? {} : { onMeasuring }),
      ...(onMeasured === undefined ? {} : { onMeasured }),
    },
  );
}

type Counting = {
  readonly all: readonly Role[];
  readonly idle: readonly ProcessCounters[];
  readonly idleMessages: NatsCounts;
  readonly nats: NatsMonitor;
};

async function countScenario(
  context: ProfileContext,
  scenario: Scenario,
  { all, idle, idleMessages, nats }: Counting,
): Promise<string> {
  let before: readonly ProcessCounters[] = [];
  let after: readonly ProcessCounters[] = [];
  let messagesBefore = nats.counts();
  let messagesAfter = nats.counts();
  const result = await load(context, {
    ...scenario,
    warmupSeconds: context.options.warmupSeconds,
    onMeasuring: () => {
      before = all.map(({ pid }) => countersOf(pid));
      messagesBefore = nats.counts();
    },
    onMeasured: () => {
      after = all.map(({ pid }) => countersOf(pid));
      messagesAfter = nats.counts();
    },
  });
  const messages = difference(await messagesBefore, await messagesAfter);
  const writes = Math.max(1, result.operations);
  const idleTimes = (result.measuredSeconds * 1000) / IDLE_MS;
  const costs = all.map(({ label }, index) => {
    return { label, cost: since(at(before, index), at(after, index)), idle: at(idle, index) };
  });
  const { p50, p99 } = result.latencyMs;
  const passed = {
    messagesIn: (messages.messagesIn - idleMessages.messagesIn * idleTimes) / writes,
    messagesOut: (messages.messagesOut - idleMessages.messagesOut * idleTimes) / writes,
    bytesIn: (messages.bytesIn - idleMessages.bytesIn * idleTimes) / writes,
  };
  return [
    `### ${capital(scenario.name)}\n`,
    `${result.operationsPerSecond.toFixed(0)} writes/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms. For one write, what is done without a load taken off:\n`,
    costsTable(costs, { writes, idleTimes }),
    `NATS: ${perWrite(passed.messagesIn)} messages published, ${perWrite(passed.messagesOut)} delivered, ${perWrite(passed.bytesIn)} bytes published.\n`,
    threadsTable(costs, { writes, idleTimes }),
    ...(result.operationsPerSecond < WRITES_LEAST ? [TOO_FEW] : []),
  ].join("\n");
}

type Cost = {
  readonly label: string;
  readonly cost: ProcessCounters;
  readonly idle: ProcessCounters;
};
type Share = { readonly writes: number; readonly idleTimes: number };

function costsTable(costs: readonly Cost[], { writes, idleTimes }: Share): string {
  const head = [
    "",
    "cpu µs",
    "wake-ups",
    "preemptions",
    "reads",
    "writes",
    "bytes read",
    "bytes written",
  ];
  const names = [
    ...(["cpuUs", "wakeUps", "preemptions", "reads", "writes"] as const),
    ...(["bytesRead", "bytesWritten"] as const),
  ];
  const rows = costs.map(({ label, cost, idle }) => [
    label,
    ...names.map((name) => perWrite((cost[name] - idle[name] * idleTimes) / writes)),
  ]);
  return markdownTable(head, rows);
}

function threadsTable(costs: readonly Cost[], { writes, idleTimes }: Share): string {
  const rows = costs.flatMap(({ label, cost, idle }) =>
    [...cost.threads].flatMap(([id, thread]) => {
      const still = idle.threads.get(id);
      const wakeUps = (thread.wakeUps - (still?.wakeUps ?? 0) * idleTimes) / writes;
      const cpuUs = (thread.cpuUs - (still?.cpuUs ?? 0) * idleTimes) / writes;
      if (wakeUps < WAKE_UPS_LEAST && cpuUs < CPU_US_LEAST) return [];
      return [[`${label}: ${thread.name}`, perWrite(cpuUs), perWrite(wakeUps)]];
    }),
  );
  return markdownTable(["thread", "cpu µs", "wake-ups"], rows);
}

function idleTable(
  all: readonly Role[],
  idle: readonly ProcessCounters[],
  messages: NatsCounts,
): string {
  const seconds = IDLE_MS / 1000;
  const rows = all.map(({ label }, index) => {
    const { cpuUs, wakeUps, reads, writes } = at(idle, index);
    const percent = (cpuUs / (seconds * 1e6)) * 100;
    const rates = [wakeUps, reads, writes].map((each) => (each / seconds).toFixed(0));
    return [label, `${percent.toFixed(1)} %`, ...rates];
  });
  const head = ["without a load", "of a core", "wake-ups/s", "reads/s", "writes/s"];
  const passed = (messages.messagesIn / seconds).toFixed(0);
  return `### Without a load\n\n${markdownTable(head, rows)}\nNATS: ${passed} messages/s published.\n`;
}

async function systemCalls(
  context: ProfileContext,
  scenario: Scenario,
  all: readonly Role[],
): Promise<string> {
  const pids = all.map(({ pid }) => pid);
  const idle = await systemCallsDuring(pids, async () => {
    await delay(context.options.seconds * 1000, undefined, { signal: context.signal });
  });
  let operations = 0;
  let seconds = 0;
  const calls = await systemCallsDuring(pids, async () => {
    const result = await load(context, { ...scenario, warmupSeconds: 0 });
    operations = result.operations;
    seconds = result.measuredSeconds;
  });
  const times = seconds / context.options.seconds;
  const rows = all.map(({ label }, index) => ({ label, calls: calls[index], idle: idle[index] }));
  return callsTable(scenario.name, rows, { operations, idleTimes: times });
}

function at(counters: readonly ProcessCounters[], index: number): ProcessCounters {
  const found = counters[index];
  if (found === undefined) throw new BenchError("a process was not counted");
  return found;
}

function difference(before: NatsCounts, after: NatsCounts): NatsCounts {
  return {
    messagesIn: after.messagesIn - before.messagesIn,
    messagesOut: after.messagesOut - before.messagesOut,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
