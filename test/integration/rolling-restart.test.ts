/**
 * A rolling restart of three nodes as an operator does it, under load: clients over NATS see no error at all; those over ZooKeeper's
 * protocol see nothing but lost connections, and what was under way then may or may not be done.
 */
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { type Client, connect } from "../../client/connect.ts";
import { ConnectionLossError } from "../../protocol/errors.ts";
import { Child } from "../support/child.ts";
import { ZooidEnsemble } from "../support/zooid.ts";
import { CHECKOUT, COMMAND_LINE } from "../support/zooid-command.ts";

const KAZOO = fileURLToPath(new URL("rolling-restart.py", import.meta.url));
const PYTHON = "/usr/bin/python3";
/** One that asks nearly all the time, and one that asks now and then. */
const THINK_MS = [2, 30] as const;

let ensemble: ZooidEnsemble;

test.before(async () => {
  ensemble = await ZooidEnsemble.start();
});
test.after.always(() => ensemble.stop());

type Load = {
  readonly name: string;
  done: number;
  /** The longest time from one answered write to the next. */
  pausedMs: number;
  readonly errors: unknown[];
  /** How many of the writes that were in doubt had been done. */
  found: number;
};

/** Counts up in a znode, each time only if it was not changed since: a write that was lost, or done twice, would be seen. */
async function load(
  client: Client,
  name: string,
  thinkMs: number,
  over: AbortSignal,
): Promise<Load> {
  const path = `/${name}`;
  const of: Load = { name, done: 0, pausedMs: 0, errors: [], found: 0 };
  await client.create(path, "0");
  let version = 0;
  let answeredMs = performance.now();
  while (!over.aborted) {
    try {
      ({ version } = await client.set(path, String(version + 1), { version }));
      const nowMs = performance.now();
      of.pausedMs = Math.max(of.pausedMs, nowMs - answeredMs);
      answeredMs = nowMs;
      const { data } = await client.get(path);
      if (textOf(data) !== String(version)) throw new Error(`${path} is ${textOf(data)}`);
      of.done += 1;
    } catch (error) {
      of.errors.push(error);
      // Whether it was done is seen by looking, as by any client of ZooKeeper's.
      const { stat } = await client.get(path);
      of.found += stat.version - version;
      version = stat.version;
    }
    if (thinkMs > 0) await wait(thinkMs);
  }
  const { data, stat } = await client.get(path);
  if (stat.version !== version || textOf(data) !== String(version)) {
    of.errors.push(new Error(`${path} is ${textOf(data)}, version ${stat.version}`));
  }
  return of;
}

function textOf(data: Uint8Array | null): string {
  return Buffer.from(data ?? []).toString();
}

async function operate(...args: readonly string[]): Promise<Child> {
  const child = new Child({
    command: process.execPath,
    args: [
      ...[COMMAND_LINE, ...args, "--nats", ensemble.natsUrl],
      ...["--nats-credentials-file", ensemble.nodeCredentialsFile],
    ],
    cwd: CHECKOUT,
  });
  await child.exited;
  return child;
}

async function clients(t: ExecutionContext, url: string): Promise<readonly Client[]> {
  const all = await Promise.all(THINK_MS.map(() => connect(url, { sessionTimeoutMs: 10_000 })));
  t.teardown(() => Promise.all(all.map((each) => each.close())));
  return all;
}

test.serial(
  "a rolling restart under load costs native clients no error, and others connections only",
  async (t) => {
    const over = new AbortController();
    const natives = await clients(t, readFileSync(ensemble.clientUrlFile, "utf8").trim());
    const others = await clients(t, `zk://${ensemble.connectString}`);
    const kazoo = new Child({ command: PYTHON, args: ["-B", KAZOO, ensemble.connectString] });
    t.teardown(() => kazoo.stop());
    await kazoo.line(/^started$/);
    const start = (all: readonly Client[], kind: string): Promise<Load[]> =>
      Promise.all(
        all.map((client, index) =>
          load(client, `${kind}${index}`, THINK_MS[index] ?? 0, over.signal),
        ),
      );
    const [loadOfNatives, loadOfOthers] = [start(natives, "native"), start(others, "zk")];
    const restart = await operate("restart", "--rolling");
    over.abort();
    t.is(restart.process.exitCode, 0, `${restart.output()}\n${ensemble.output()}`);
    t.log(restart.lines.find((line) => line.includes("has handed over")) ?? "");
    const last = restart.lines.filter((line) => line.includes("serves again")).at(-1) ?? "";
    t.regex(last, new RegExp(`^node ${ensemble.firstLeader} `), "the leader comes last");
    t.is(ensemble.lines.filter((line) => line.endsWith("restarted")).length, 3);
    for (const { name, done, errors, pausedMs } of await loadOfNatives) {
      t.deepEqual(errors, [], name);
      t.true(done > 0);
      t.log(`${name}: ${done} writes and reads, the longest pause ${Math.round(pausedMs)} ms`);
    }
    for (const { name, done, errors, pausedMs, found } of await loadOfOthers) {
      const unexpected = errors.filter((error) => !(error instanceof ConnectionLossError));
      t.deepEqual(unexpected, [], name);
      t.true(done > 0);
      t.true(
        errors.length <= ensemble.nodes.length,
        "one for each connection that was lost, at the most",
      );
      const lost = `${errors.length} in doubt, ${found} of them done`;
      t.log(
        `${name}: ${done} writes and reads, ${lost}, the longest pause ${Math.round(pausedMs)} ms`,
      );
    }
    kazoo.process.stdin?.end();
    const counts = JSON.parse(await kazoo.line(/^\{/)) as { lost: number; other: unknown[] };
    t.deepEqual(counts.other, []);
    t.log(`kazoo: ${JSON.stringify(counts)}`);
  },
);

test.serial(
  "leadership goes to the node that is named, once for each command, and says why it does not",
  async (t) => {
    const to = ensemble.nodes.map(({ id }) => id).find((id) => id === 2) ?? 0;
    const first = await operate("transfer-leadership", "--to", String(to));
    t.is(first.process.exitCode, 0, first.output());
    const again = await operate("transfer-leadership", "--to", String(to));
    t.is(again.output(), `node ${to} leads already`);
    const wrong = await operate("transfer-leadership", "--to", "9");
    t.is(wrong.process.exitCode, 1);
    t.regex(wrong.output(), /node 9 is no member of this ensemble/);
  },
);

test.serial(
  "a rolling restart goes no further than a node that could not be restarted",
  async (t) => {
    const failed = await operate("restart", "--rolling", "--exec", "echo node {node}; exit 3");
    t.is(failed.process.exitCode, 1);
    t.regex(failed.output(), /^node 1$/m);
    t.regex(failed.output(), /exit code 3; not touched: node 3, 2$/m);
  },
);

test.serial(
  "a leader that is stopped hands over first, and ends as one that was asked to",
  async (t) => {
    const leader = 2;
    const { length } = ensemble.lines;
    ensemble.kill(leader, "SIGTERM");
    const exited = await ensemble.line(new RegExp(`^node ${leader} .* exited`), length);
    t.regex(exited, /exited \(code 0\)$/);
    const log = await ensemble.log(leader);
    const said = log.slice(log.lastIndexOf("handingOver"));
    t.regex(said, /^handingOver to=(1|3) /);
    t.regex(said, / handedOver to=(1|3) /);
    t.true(said.indexOf("handedOver") < said.indexOf("retiring"), "then its clients leave");
  },
);
