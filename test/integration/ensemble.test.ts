/** `zooid ensemble` as a person uses it: what it prints, how it stops, what it does when something is missing or killed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as natsConnect } from "@nats-io/transport-node";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/connect.ts";
import { Child } from "../support/child.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { reservePorts } from "../support/ports.ts";
import { untilAnswer } from "../support/four-letters.ts";
import { until } from "../support/until.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { CHECKOUT, COMMAND_LINE } from "../support/zooid-command.ts";
import { create, getConfig, getData } from "../support/zookeeper-client/operations.ts";

const READY = /^ready: node \d+ leads epoch \d+$/;
const NODE = /^node (\d+) {2}pid (\d+) {2}127\.0\.0\.1:(\d+)$/;

type Place = { readonly port: number; readonly folder: string };

async function place(t: ExecutionContext): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "zooid-ensemble-test-"));
  const block = await reservePorts();
  t.teardown(() => {
    block.release();
    rmSync(folder, { recursive: true, force: true });
  });
  return { port: block.first, folder };
}

function start(
  t: ExecutionContext,
  { port, folder }: Place,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = new Child({
    command: process.execPath,
    args: [
      ...[COMMAND_LINE, "ensemble", "--client-port", String(port)],
      ...["--data-dir", join(folder, "data"), ...args],
    ],
    cwd: folder,
    env,
  });
  t.teardown(() => child.stop());
  return child;
}

/** Returns the ids of the nodes' processes, and of the nats-server if the ensemble has one. */
function pidsOf(child: Child): readonly number[] {
  return child.lines.flatMap((line) => {
    const pid = /^(?:node \d+|nats) {2}pid (\d+)/.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}

function kill(pid: number | undefined): void {
  // 0 would be all processes of the group.
  if (pid === undefined || pid === 0) throw new Error("the process is not known");
  process.kill(pid, "SIGKILL");
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function write(port: number, path: string, data: string): Promise<void> {
  const client = await ZkClient.connect({ port });
  const { code } = await client.request(create(path, data));
  await client.close();
  if (code !== 0) throw new Error(`create ${path}: error ${code}`);
}

async function read(port: number, path: string): Promise<string> {
  const client = await ZkClient.connect({ port });
  const { text } = await client.request(getData(path));
  await client.close();
  const [data] = text;
  if (typeof data !== "string") throw new Error(`getData ${path} gave no data`);
  return data;
}

/** A node that has no leader turns clients away. */
function untilServed(port: number, ensemble: Child): Promise<void> {
  return untilAnswer(
    { port },
    "srvr",
    (answer) => answer.includes("Mode: "),
    () => ensemble.ended,
  );
}

async function configOf(port: number): Promise<string> {
  const client = await ZkClient.connect({ port });
  const { text } = await client.request(getConfig());
  await client.close();
  const [config] = text;
  if (typeof config !== "string") throw new Error("getConfig gave no text");
  return config;
}

/** By which Curator connects. */
function configFrom(firstPort: number): string {
  const lines = [1, 2, 3].map((id) => {
    return `server.${id}=127.0.0.1:1:2:participant;127.0.0.1:${firstPort + id - 1}`;
  });
  return [...lines, "version=0"].join("\n");
}

/** Stops it as a terminal or a service manager does. */
async function end(t: ExecutionContext, child: Child, signal: "SIGINT" | "SIGTERM"): Promise<void> {
  const pids = pidsOf(child);
  child.kill(signal);
  await child.exited;
  t.is(child.process.exitCode, 0, child.output());
  t.deepEqual(pids.filter(isThere), [], "no process is left");
  t.is(child.lines.at(-1), "stopping");
}

/**
 * Only who may read its files gets to its NATS, and who may read the clients' is no node. No secret is printed or on a command
 * line.
 */
async function keepsItsNats(t: ExecutionContext, child: Child, folder: string): Promise<void> {
  const names = ["nats-server.conf", "nats-node.credentials", "nats-client.url"];
  for (const name of names) t.is(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  const nodePassword = readFileSync(join(folder, "nats-node.credentials"), "utf8")
    .trim()
    .split(":")[1];
  const url = readFileSync(join(folder, "nats-client.url"), "utf8");
  const clientPassword = new URL(url).password;
  for (const secret of [nodePassword ?? "", clientPassword]) {
    t.true(secret.length >= 32);
    t.false(child.output().includes(secret));
    for (const pid of pidsOf(child)) {
      t.false(readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(secret));
    }
    for (const node of [1, 2, 3]) {
      t.false(readFileSync(join(folder, `node-${node}.log`), "utf8").includes(secret));
    }
  }
  const client = await connect(url);
  await client.create("/native", "as the README says");
  await client.close();
  const { host, username, password } = new URL(url);
  const forger = await natsConnect({ servers: host, user: username, pass: password });
  const refused = (async (): Promise<string> => {
    for await (const status of forger.status())
      if (status.type === "error") return String(status.error);
    return "nothing";
  })();
  forger.publish("zooid.zooid.all.log-sync", "forged");
  t.regex(await refused, /permissions violation/i);
  await forger.close();
  await t.throwsAsync(
    natsConnect({ servers: host, reconnect: false }),
    undefined,
    "without a password",
  );
}

test.serial(
  "three nodes come up, stop cleanly by SIGTERM and by SIGINT, and go on with the same data",
  async (t) => {
    const where = await place(t);
    const startedMs = performance.now();
    const first = start(t, where);
    await first.line(READY);
    t.log(`ready after ${Math.round(performance.now() - startedMs)} ms`);
    const [nats, ...others] = first.lines;
    t.regex(
      nats ?? "",
      /^nats {2}pid \d+ {2}nats:\/\/127\.0\.0\.1:\d+ {2}clients: \S+nats-client\.url$/,
    );
    await keepsItsNats(t, first, join(where.folder, "data"));
    const nodes = others.slice(0, 3).map((line) => NODE.exec(line)?.slice(1).map(Number) ?? []);
    t.deepEqual(
      nodes.map(([id, , port]) => [id, port]),
      [1, 2, 3].map((id) => [id, where.port + id - 1]),
    );
    t.is(new Set(pidsOf(first)).size, 4, "each is a process of its own");
    t.is(first.lines.length, 5, first.output());
    await write(where.port, "/kept", "by all");
    t.is(await configOf(where.port + 1), configFrom(where.port));
    await end(t, first, "SIGTERM");

    const second = start(t, where);
    const ready = await second.line(READY);
    t.false(ready.endsWith(" epoch 1"), "a new leader begins a new epoch");
    t.is(await read(where.port + 2, "/kept"), JSON.stringify("by all"));
    await end(t, second, "SIGINT");
  },
);

test.serial("a port that is in use is named with its node, and nothing is started", async (t) => {
  const where = await place(t);
  const holder = createServer();
  await new Promise<void>((resolve) => {
    holder.listen(where.port + 2, "127.0.0.1", () => resolve());
  });
  t.teardown(() => holder.close());
  const child = start(t, where);
  await child.exited;
  t.is(child.process.exitCode, 1);
  t.deepEqual(child.lines, [
    `zooid ensemble: port ${where.port + 2}, for node 3, is in use`,
    "  choose others with --client-port N",
  ]);
  t.false(existsSync(join(where.folder, "data")));
});

test.serial(
  "in one process, without NATS, the nodes serve clients and keep their data",
  async (t) => {
    const where = await place(t);
    const first = start(t, where, ["--in-process"]);
    await first.line(READY);
    t.is(new Set(pidsOf(first)).size, 1, "all nodes are in one process");
    t.false(first.output().includes("nats"));
    await write(where.port, "/kept", "in memory's network");
    t.is(await read(where.port, "/kept"), JSON.stringify("in memory's network"));
    first.kill("SIGTERM");
    await first.exited;
    t.is(first.process.exitCode, 0, first.output());

    const second = start(t, where, ["--in-process"]);
    await second.line(READY);
    t.is(await read(where.port + 1, "/kept"), JSON.stringify("in memory's network"));
  },
);

test.serial(
  "without a nats-server it says so, and runs all nodes in its own process",
  async (t) => {
    const where = await place(t);
    const missing = join(where.folder, "no-nats-server");
    const child = start(t, where, [], { ZOOID_NATS_SERVER: missing });
    await child.line(READY);
    t.true(child.lines[0]?.includes(missing), child.output());
    t.is(child.lines[1], "without NATS: all nodes run in this process, as with --in-process");
    t.is(new Set(pidsOf(child)).size, 1);
  },
);

test.serial(
  "a node that is killed is reported and not started again; the others go on",
  async (t) => {
    const where = await place(t);
    const child = start(t, where);
    await child.line(READY);
    const [, victim] =
      NODE.exec(child.lines[2] ?? "")
        ?.slice(1)
        .map(Number) ?? [];
    kill(victim);
    await child.line(/^node 2 {2}pid \d+ {2}exited/);
    const restart = await child.line(
      /^ {2}to start it again, in another terminal: (zooid|npm run zooid --) serve /,
    );
    t.is(child.lines.at(-2), `node 2  pid ${victim}  exited (signal SIGKILL)`);
    await untilServed(where.port, child);
    await write(where.port, "/without-2", "x");
    await t.throwsAsync(ZkClient.connect({ port: where.port + 1 }));
    t.is(pidsOf(child).filter(isThere).length, 3, "two nodes and the nats-server");
    const words = ["serve", ...argumentsOf(restart)];
    const again = new Child({
      command: process.execPath,
      args: [COMMAND_LINE, ...words],
      cwd: where.folder,
    });
    t.teardown(() => again.stop());
    await again.line(/node=2 log-sync following/);
    await untilServed(where.port + 1, child);
    t.is(await read(where.port + 1, "/without-2"), JSON.stringify("x"));
    await allAreStartedAgain(t, where, child);
    await again.stop();
    await end(t, child, "SIGTERM");
  },
);

/** With node 2 of somebody else's already, the last two go and come back: the nats-server has to stay. */
async function allAreStartedAgain(t: ExecutionContext, where: Place, child: Child): Promise<void> {
  const [nats = 0, one, , three] = pidsOf(child);
  kill(one);
  kill(three);
  await child.line(/^all nodes have exited: this goes on while one that was started again answers/);
  const commands = child.lines.filter((line) => /^ {2}to start it again, /.test(line)).slice(-2);
  const others = commands.map((command) => {
    const args = [COMMAND_LINE, "serve", ...argumentsOf(command)];
    return new Child({ command: process.execPath, args, cwd: where.folder });
  });
  t.teardown(() => Promise.all(others.map((other) => other.stop())));
  // Before it has a leader again node 2 turns clients away.
  const port = where.port + 1;
  await untilAnswer(
    { port },
    "srvr",
    (answer) => answer.includes("Mode: "),
    () => child.ended,
  );
  t.is(await read(where.port + 1, "/without-2"), JSON.stringify("x"));
  t.true(isThere(nats) && child.process.exitCode === null, child.output());
  await Promise.all(others.map((other) => other.stop()));
}

/** What stands behind `serve` in a command, as a shell takes it apart. */
function argumentsOf(command: string): readonly string[] {
  const [, rest = ""] = command.split(" serve ");
  const shown = execFileSync("bash", ["-c", `printf '%s\\0' ${rest}`], { encoding: "utf8" });
  return shown.split("\0").slice(0, -1);
}

const SECRETS = [
  [
    'users: [{ user: "node", password: "s3cr€t@/:" }]',
    `node:${encodeURIComponent("s3cr€t@/:")}@`,
    { ZOOID_NATS_USER: "node", ZOOID_NATS_PASSWORD: "s3cr€t@/:" },
  ],
  ['token: "s3cr€t"', `${encodeURIComponent("s3cr€t")}@`, { ZOOID_NATS_TOKEN: "s3cr€t" }],
] as const;

for (const [authorization, credentials, variables] of SECRETS) {
  const names = Object.keys(variables);
  const [last = ""] = names.slice(-1);
  test.serial(
    `what is secret in the URL of --nats is on no node's command line and not printed: ${last}`,
    async (t) => {
      const where = await place(t);
      const nats = await startNatsServer({ config: `authorization { ${authorization} }` });
      t.teardown(nats.stop);
      const child = start(t, where, ["--nats", nats.url.replace("//", `//${credentials}`)]);
      await child.line(READY);
      await write(where.port, "/served", "x");
      const secret = Object.values(variables).at(-1) ?? "";
      const secrets = [secret, encodeURIComponent(secret)];
      const isSecretIn = (text: string): boolean => secrets.some((form) => text.includes(form));
      const pids = pidsOf(child);
      t.is(pids.length, 3);
      for (const pid of pids) {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        t.true(line.includes(`--nats\0${nats.url}\0`), line);
        t.false(isSecretIn(line), line);
      }
      kill(pids[1]);
      const restart = await child.line(/^ {2}to start it again, in another terminal: /);
      const from = await child.line(/^ {2}with .* in its environment/);
      for (const name of names) t.true(from.includes(name), from);
      const again = new Child({
        command: process.execPath,
        args: [COMMAND_LINE, "serve", ...argumentsOf(restart)],
        cwd: where.folder,
        env: variables,
      });
      t.teardown(() => again.stop());
      await again.line(/node=2 log-sync following/);
      t.is(await read(where.port + 1, "/served"), JSON.stringify("x"));
      t.false(isSecretIn(child.output() + again.output()));
      for (const node of [1, 2, 3]) {
        const log = readFileSync(join(where.folder, "data", `node-${node}.log`), "utf8");
        t.false(isSecretIn(log));
      }
    },
  );
}

/** Its process is gone, or is about to be: the kernel tells its own children later than us. */
async function untilGone(pids: readonly number[]): Promise<void> {
  await until(() => !pids.some(isThere), `${pids.join(", ")} have ended`);
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test.serial(`npm start that is ended by ${signal} takes the ensemble with it`, async (t) => {
    const where = await place(t);
    const npm = new Child({
      command: "npm",
      args: [
        ...["start", "--silent", "--", "--client-port", String(where.port)],
        ...["--data-dir", join(where.folder, "data")],
      ],
      cwd: CHECKOUT,
    });
    t.teardown(() => npm.kill("SIGKILL"));
    await npm.line(READY);
    const pids = pidsOf(npm);
    t.is(pids.length, 4);
    npm.kill(signal);
    await untilGone(pids);
    t.pass();
  });
}

test.serial("an ensemble that is killed takes its nodes and its nats-server with it", async (t) => {
  const where = await place(t);
  const child = start(t, where);
  await child.line(READY);
  const pids = pidsOf(child);
  child.kill("SIGKILL");
  await untilGone(pids);
  t.is(pids.length, 4);
});
