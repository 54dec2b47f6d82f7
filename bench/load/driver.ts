/**
 * A load process. `run.ts` starts it and sends it its plan and orders over the process channel. It reports there and exits by
 * itself.
 */
import { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import { LoadConnection, type RequestStream, SEQUENCE_DIGITS } from "./connection.ts";
import type { DriverOrder, DriverPlan, DriverReport, DriverResult } from "./plan.ts";
import { Recorder } from "./recorder.ts";
import {
  CODE_NODE_EXISTS,
  CODE_OK,
  createFrame,
  deleteFrame,
  getDataFrame,
  setDataFrame,
  WireError,
} from "./wire.ts";

const DRAIN_MS_MAX = 30_000;
const PROGRESS_EVERY_MS = 1000;

type Lane = {
  readonly connection: LoadConnection;
  /** The connection's own znode, which setData writes and getData reads. */
  readonly path: string;
  /** The prefix of the znodes that this connection creates. */
  readonly prefix: string;
};

type Prepared = {
  readonly plan: DriverPlan;
  readonly recorder: Recorder;
  readonly lanes: readonly Lane[];
};

async function prepare(plan: DriverPlan): Promise<Prepared> {
  const recorder = new Recorder();
  const lanes: Lane[] = [];
  for (let number = plan.process; number < plan.connections; number += plan.processes) {
    const target = plan.targets[number % plan.targets.length];
    if (target === undefined) throw new WireError("a load needs at least one target");
    lanes.push({
      connection: new LoadConnection(target, recorder, plan.outstanding),
      path: `${plan.root}/own-${number}`,
      prefix: `${plan.root}/c${number}-`,
    });
  }
  await Promise.all(lanes.map(({ connection }) => connection.open()));
  const value = Buffer.alloc(plan.valueBytes, "z");
  const [first] = lanes;
  if (first !== undefined) await createNode(first.connection, plan.root, Buffer.alloc(0));
  await Promise.all(lanes.map(({ connection, path }) => createNode(connection, path, value)));
  recorder.errors.clear();
  return { plan, recorder, lanes };
}

async function createNode(
  connection: LoadConnection,
  path: string,
  value: Uint8Array,
): Promise<void> {
  const error = await connection.request(createFrame(path, value));
  if (error !== CODE_OK && error !== CODE_NODE_EXISTS) {
    throw new WireError(`cannot create ${path}: error ${error}`);
  }
}

function streamOf({ workload, valueBytes }: DriverPlan, { path, prefix }: Lane): RequestStream {
  const value = Buffer.alloc(valueBytes, "v");
  const count = Number.MAX_SAFE_INTEGER;
  if (workload === "create")
    return numbered(createFrame(`${prefix}${digits}`, value), prefix, count);
  const frame = workload === "setData" ? setDataFrame(path, value) : getDataFrame(path);
  return { frame, sequenceEnd: undefined, count };
}

const digits = "0".repeat(SEQUENCE_DIGITS);

function numbered(frame: Buffer, prefix: string, count: number): RequestStream {
  const sequenceEnd = frame.indexOf(`${prefix}${digits}`) + prefix.length + SEQUENCE_DIGITS;
  return { frame, sequenceEnd, count };
}

async function measure(prepared: Prepared): Promise<DriverResult> {
  const { plan, recorder, lanes } = prepared;
  const lose = (connection: LoadConnection): void => {
    recorder.connectionsLost += 1;
    recorder.lossReasons.add(connection.lost?.message ?? "unknown");
    recorder.operationsLost += connection.underWay;
  };
  for (const { connection } of lanes) connection.onLost = () => lose(connection);
  const streams = lanes.map((lane) => lane.connection.run(streamOf(plan, lane)));
  const allLost = Promise.all(streams);
  await Promise.race([delay(plan.warmupSeconds * 1000), allLost]);

  report({ kind: "measuring" });
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  recorder.measuring = true;
  const progress = setInterval(
    () => report({ kind: "progress", operations: recorder.operations }),
    PROGRESS_EVERY_MS,
  );
  await Promise.race([delay(plan.seconds * 1000), enoughOperations(prepared), allLost]);
  recorder.measuring = false;
  const measuredMs = performance.now() - startMs;
  const cpu = process.cpuUsage(startCpu);
  clearInterval(progress);
  report({ kind: "measured" });

  for (const { connection } of lanes) connection.stop();
  await Promise.race([allLost, delay(DRAIN_MS_MAX)]);
  for (const { connection } of lanes) {
    if (connection.lost === undefined) recorder.operationsLost += connection.underWay;
  }
  return {
    operations: recorder.operations,
    measuredMs,
    latenciesUs: recorder.latencies.counts(),
    errors: Object.fromEntries(recorder.errors),
    connectionsLost: recorder.connectionsLost,
    lossReasons: [...recorder.lossReasons],
    operationsLost: recorder.operationsLost,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/** Resolves when as many operations as the plan asks for have been measured; never if it does not limit them. */
function enoughOperations({ plan, recorder, lanes }: Prepared): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { operations } = plan;
  if (operations === undefined) return promise;
  for (const { connection } of lanes) {
    connection.onTurn = () => {
      if (recorder.operations < operations) return;
      recorder.measuring = false;
      resolve();
    };
  }
  return promise;
}

/** Each connection deletes the znodes that it made. The parent can be deleted only by the last load process that finishes. */
async function cleanUp({ plan, lanes }: Prepared): Promise<void> {
  const whole = lanes.filter(
    ({ connection }) => connection.lost === undefined && connection.underWay === 0,
  );
  await Promise.all(
    whole.map(async ({ connection, path, prefix }) => {
      if (plan.workload === "create") {
        const count = connection.sent;
        await connection.run(numbered(deleteFrame(`${prefix}${digits}`), prefix, count));
      }
      if (connection.lost === undefined) await connection.request(deleteFrame(path));
    }),
  );
  const [first] = whole;
  if (first !== undefined) await first.connection.request(deleteFrame(plan.root));
}

async function start(prepared: Prepared): Promise<void> {
  const result = await measure(prepared);
  for (const { connection } of prepared.lanes) connection.onLost = undefined;
  if (prepared.plan.cleanUp) await cleanUp(prepared);
  for (const { connection } of prepared.lanes) connection.close();
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
  if (order.kind === "prepare") {
    prepare(order.plan).then((ready) => {
      prepared = ready;
      report({ kind: "ready" });
    }, fail);
  } else if (prepared !== undefined) {
    start(prepared).catch(fail);
  }
});

// The parent decides when this process ends, even if Ctrl-C in a terminal reaches the whole group.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
