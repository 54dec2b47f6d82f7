/**
 * A load process. `run.ts` starts it and sends it its plan and orders over the process channel. It reports there and exits by
 * itself.
 */
import { performance } from "node:perf_hooks";
import type { LoadClient } from "./client.ts";
import { clientOf } from "./clients.ts";
import { pacingOf } from "./pacing.ts";
import type { DriverOrder, DriverPlan, DriverReport, DriverResult } from "./plan.ts";
import { Recorder } from "./recorder.ts";
import { SampleLog } from "./samples.ts";
import { type Cycle, cycleOf, needsOf } from "./work.ts";
import { CODE_NODE_EXISTS, WireError } from "./zookeeper/wire.ts";

const DRAIN_MS_MAX = 30_000;
const PROGRESS_EVERY_MS = 1000;
const TICK_MS = 1;
/** How many connections are opened at once. A server's queue of connections that it has not accepted is bounded. */
const OPENING_MAX = 100;

type Connection = { readonly number: number; readonly client: LoadClient; readonly cycle: Cycle };

type Prepared = {
  readonly plan: DriverPlan;
  readonly recorder: Recorder;
  readonly samples: SampleLog | undefined;
  readonly connections: readonly Connection[];
  /** Settled by an order to end the measurement before its time. */
  readonly stopped: PromiseWithResolvers<void>;
};

async function prepare(plan: DriverPlan): Promise<Prepared> {
  const samples = plan.keepsSamples === true ? new SampleLog() : undefined;
  const recorder = new Recorder({ openLoop: plan.ratePerSecond !== undefined, samples });
  const connections: Connection[] = [];
  for (let number = plan.process; number < plan.connections; number += plan.processes) {
    const client = clientOf(plan, number, recorder);
    connections.push({ number, client, cycle: cycleOf(plan.work, number, plan.valueBytes) });
  }
  for (let first = 0; first < connections.length; first += OPENING_MAX) {
    const some = connections.slice(first, first + OPENING_MAX);
    await Promise.all(some.map(({ client }) => client.open()));
  }
  const needs = needsOf(connections.map(({ cycle }) => cycle));
  await connections[0]?.client.makeShared(needs, plan.valueBytes);
  await Promise.all(connections.map(({ client }) => client.makeOwn(plan.valueBytes)));
  const errors = [...recorder.errors.keys()].filter((code) => code !== CODE_NODE_EXISTS);
  if (errors.length > 0) throw new WireError(`cannot make the znodes: error ${errors.join(", ")}`);
  recorder.errors.clear();
  return { plan, recorder, samples, connections, stopped: Promise.withResolvers<void>() };
}

async function measure(prepared: Prepared): Promise<DriverResult> {
  const { plan, recorder, connections, stopped } = prepared;
  const lose = (client: LoadClient): void => {
    recorder.connectionsLost += 1;
    recorder.lossReasons.add(client.lost?.message ?? "unknown");
    recorder.operationsLost += client.underWay;
  };
  for (const { client } of connections) client.onLost = () => lose(client);
  const allAnswered = Promise.all(begin(prepared));
  const ticks = plan.ratePerSecond === undefined ? undefined : tickAll(connections);
  await Promise.race([delay(plan.warmupSeconds * 1000), allAnswered]);

  report({ kind: "measuring" });
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  recorder.startMs = startMs;
  const progress = setInterval(
    () => report({ kind: "progress", operations: recorder.operations }),
    PROGRESS_EVERY_MS,
  );
  await Promise.race([delay(plan.seconds * 1000), allAnswered, stopped.promise]);
  const nowMs = performance.now();
  recorder.endMs = nowMs;
  const cpu = process.cpuUsage(startCpu);
  const overdue = connections.reduce((sum, { client }) => sum + client.overdue(nowMs), 0);
  clearInterval(progress);
  clearInterval(ticks);
  report({ kind: "measured" });

  for (const { client } of connections) client.stop();
  await Promise.race([allAnswered, delay(DRAIN_MS_MAX)]);
  for (const { client } of connections) {
    if (client.lost === undefined) recorder.operationsLost += client.underWay;
  }
  return {
    measuredMs: nowMs - startMs,
    readsUs: recorder.reads.counts(),
    writesUs: recorder.writes.counts(),
    errors: Object.fromEntries(recorder.errors),
    connectionsLost: recorder.connectionsLost,
    lossReasons: [...recorder.lossReasons],
    operationsLost: recorder.operationsLost,
    operationsOverdue: overdue,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    samples: prepared.samples?.take(),
  };
}

function begin({ plan, connections }: Prepared): Promise<void>[] {
  const startMs = performance.now();
  return connections.map(({ number, client, cycle }) => {
    const pacing =
      plan.ratePerSecond === undefined
        ? undefined
        : pacingOf(startMs, plan.ratePerSecond, {
            connection: number,
            connections: plan.connections,
          });
    return client.repeat(cycle, pacing);
  });
}

function tickAll(connections: readonly Connection[]): NodeJS.Timeout {
  return setInterval(() => {
    for (const { client } of connections) client.tick();
  }, TICK_MS);
}

/** Each connection deletes what it made. What all share can be deleted only by the last load process that finishes. */
async function cleanUp(connections: readonly Connection[]): Promise<void> {
  const whole = connections.filter(
    ({ client }) => client.lost === undefined && client.underWay === 0,
  );
  await Promise.all(whole.map(({ client, cycle }) => client.cleanUp(cycle)));
  await whole[0]?.client.cleanUpShared();
}

async function start(ready: Prepared): Promise<void> {
  const { plan, connections } = ready;
  const result = await measure(ready);
  for (const { client } of connections) client.onLost = undefined;
  if (plan.cleanUp) await cleanUp(connections);
  for (const { client } of connections) client.close();
  report({ kind: "done", result });
}

function delay(delayMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, delayMs).unref();
  return promise;
}

function report(message: DriverReport): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  report({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

let prepared: Prepared | undefined;

process.on("message", (order: DriverOrder) => {
  switch (order.kind) {
    case "prepare":
      prepare(order.plan).then((ready) => {
        prepared = ready;
        report({ kind: "ready" });
      }, fail);
      return;
    case "start":
      if (prepared !== undefined) start(prepared).catch(fail);
      return;
    case "samples":
      if (prepared?.samples === undefined) return fail(new Error("this load keeps no samples"));
      return report({ kind: "samples", samples: prepared.samples.take() });
    case "stop":
      return prepared?.stopped.resolve();
  }
});

// The parent decides when this process ends, even if Ctrl-C in a terminal reaches the whole group.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
