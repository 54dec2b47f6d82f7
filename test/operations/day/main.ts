/**
 * `npm run ops:day`: a day of an operator's, as docs/operations/a-day.md tells it: three hosts (network namespaces) with the installed package, a
 * Prometheus that watches them, a rolling restart under load, a backup, the loss of every disk, and a restore. Needs root, Debian's packages and the
 * npm registry; takes about two minutes.
 */
import { mkdtemp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as wait } from "node:timers/promises";
import { prepareDebian } from "../../setup/debian.ts";
import { namespacesProblem } from "../../soak/namespaces.ts";
import type { Child } from "../../support/child.ts";
import { reservePorts } from "../../support/ports.ts";
import { CHECKOUT } from "../../support/zooid-command.ts";
import { buildPackage, manifestOf, pack, succeed } from "../../package/install.ts";
import { removeFolder, tidily } from "../tidily.ts";
import { DataCentre } from "./hosts.ts";
import { Monitor } from "./monitor.ts";
import { COUNTS_PROGRAM, LOAD_PROGRAM } from "./programs.ts";
import { Site } from "./site.ts";

type Counted = {
  readonly name: string;
  readonly version: number;
  readonly count: number;
  readonly errors: readonly string[];
  readonly inDoubt: readonly string[];
  readonly longestMs: number;
};

const LOAD_MS = 5000;
const COUNTS_TRIES_MAX = 60;
const CLIENTS = 4;
const totals = { passed: 0, failed: 0 };

const isAll = (values: readonly number[]): boolean => values.length === 3;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function check(is: boolean, what: string, detail = ""): void {
  totals[is ? "passed" : "failed"] += 1;
  say(`${is ? "ok  " : "FAIL"} ${what}`);
  if (!is && detail !== "") say(detail);
}

/** Runs a command to its end. Returns what it printed. */
async function done(child: Child, what: string): Promise<string> {
  await child.exited;
  check(child.process.exitCode === 0, what, child.output());
  return child.output();
}

async function install(folder: string): Promise<string> {
  const project = join(folder, "installed");
  await mkdir(project);
  const built = join(folder, "zooid");
  await buildPackage(built);
  const tarball = await pack(built, folder);
  const { devDependencies, version: own } = await manifestOf(CHECKOUT);
  const packages = [tarball, `node@${devDependencies["node"]}`];
  await succeed(["install", "--no-audit", "--no-fund", "--silent", ...packages], project, "npm");
  const zooid = join(project, "node_modules/.bin/zooid");
  const node = join(project, "node_modules/.bin/node");
  const version = (await succeed([zooid, "--version"], project, node)).trim();
  check(version === own, `zooid ${version} is installed`);
  return project;
}

/** Returns the nodes' supervisors. */
async function serve(site: Site): Promise<readonly Child[]> {
  const nodes = site.machines.map((machine) => site.startNode(machine));
  await Promise.all(nodes.map((node) => node.line(/^node \d+ {2}pid /)));
  const status = site.run(site.office, ["zooid", "status", "--server", site.zkUrl]);
  await done(status, "three nodes serve, and one of them leads");
  return nodes;
}

function timesStarted(node: Child): number {
  return node.lines.filter((line) => /^node \d+ {2}pid /.test(line)).length;
}

/** Returns what has been counted meanwhile. */
async function restart(
  site: Site,
  monitor: Monitor,
  nodes: readonly Child[],
): Promise<readonly Counted[]> {
  const load = await site.program("load.mjs", LOAD_PROGRAM, site.natsUrl, site.zkUrl);
  await load.line(/^loading$/);
  await wait(LOAD_MS);
  const [machine] = site.machines;
  const config = ["--config", machine?.configFile ?? ""];
  say(
    await done(
      site.run(site.office, ["zooid", "restart", "--rolling", ...config]),
      "a rolling restart",
    ),
  );
  const times = nodes.map(timesStarted).join();
  check(times === "2,2,2", "each node was started a second time, and no more", times);
  await wait(LOAD_MS);
  load.process.stdin?.end();
  const counted = JSON.parse(await load.line(/^\[/)) as readonly Counted[];
  for (const { name, count, errors, inDoubt, longestMs } of counted) {
    check(
      count > 0 && errors.length === 0,
      `${name}: ${count} writes without an error`,
      errors.join("\n"),
    );
    say(`     the slowest took ${longestMs} ms; ${inDoubt.length} in doubt`);
    if (name.startsWith("native")) check(inDoubt.length === 0, `${name}: nothing was in doubt`);
  }
  check(counted.length === CLIENTS, `${CLIENTS} clients have written`);
  check(await monitor.says("up == 1", isAll), "Prometheus sees three nodes again");
  return counted;
}

async function counts(site: Site): Promise<string> {
  for (let tried = 1; ; tried += 1) {
    const child = await site.program("counts.mjs", COUNTS_PROGRAM, site.zkUrl);
    await child.exited;
    if (child.process.exitCode === 0) return child.output();
    if (tried === COUNTS_TRIES_MAX) throw new Error(child.output());
    await wait(LOAD_MS / 10);
  }
}

/** What is counted at each znode: its data and its version. */
function countsOf(counted: readonly Counted[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(counted.map(({ name, version }) => [name, [`${version}`, version]]));
}

/** The first follower makes one. */
async function backup(site: Site, file: string): Promise<void> {
  for (const { host, dataFolder } of site.machines) {
    const server = ["--server", `${host.address}:2181`];
    const command = ["zooid", "backup", dataFolder, file, "--unless-leader", ...server];
    const child = site.run(host, command);
    await child.exited;
    // The leader leaves it to the others.
    if (child.process.exitCode === 3) continue;
    check(child.process.exitCode === 0, "a backup of a follower", child.output());
    await done(site.run(site.office, ["zooid", "verify-backup", file]), "the backup is verified");
    return;
  }
  throw new Error("each node says that it leads, and leaves the backup to the others");
}

async function restore(site: Site, file: string): Promise<void> {
  for (const machine of site.machines) {
    const config = ["--id", String(machine.id), "--config", machine.configFile];
    const child = site.run(machine.host, ["zooid", "restore", file, ...config]);
    await done(child, `host ${machine.id} is restored`);
  }
}

async function day(centre: DataCentre, folder: string): Promise<void> {
  say("== 08:00 three hosts are set up");
  const site = new Site(centre, folder, await install(folder));
  await site.configure();
  for (const machine of site.machines) site.startNats(machine);
  const nodes = await serve(site);
  say("== 09:00 Prometheus watches them");
  const monitor = await Monitor.start(site, folder);
  check(await monitor.says("up == 1", isAll), "three nodes are scraped");
  check(
    await monitor.says('zooid_role{role="leading"} == 1', (all) => all.length === 1),
    "one leads",
  );
  const areEvaluated = await monitor.hasRules(
    (rules) => rules.length > 10 && rules.every(({ health }) => health === "ok"),
  );
  check(areEvaluated, "all rules are loaded and evaluated", JSON.stringify(await monitor.rules()));
  say("== 10:00 a rolling restart under load");
  const counted = await restart(site, monitor, nodes);
  const firing = (await monitor.rules()).filter(({ state }) => state === "firing");
  check(firing.length === 0, "no alert fires", firing.map(({ name }) => name).join());
  say("== 12:00 a backup");
  const before = await counts(site);
  const areAll = isDeepStrictEqual(JSON.parse(before), countsOf(counted));
  check(areAll, "what each client has counted is there", before);
  const file = join(folder, "day.backup");
  await backup(site, file);
  say("== 15:00 all disks are lost");
  await site.lose();
  check(await monitor.says("up == 0", isAll), "Prometheus misses all three");
  const isPending = await monitor.hasRules((rules) =>
    rules.some(({ name, state }) => name === "ZooidNodeDown" && state !== "inactive"),
  );
  check(isPending, "ZooidNodeDown is raised");
  say("== 15:30 they are restored");
  await restore(site, file);
  for (const machine of site.machines) site.startNats(machine);
  await serve(site);
  const after = await counts(site);
  check(after === before, `every count is there again: ${after}`, `${before}\n${after}`);
  check(await monitor.says("up == 1", isAll), "Prometheus sees three nodes");
}

async function main(stack: AsyncDisposableStack): Promise<void> {
  const problem = prepareDebian("prometheus") ?? namespacesProblem();
  if (problem !== undefined) throw new Error(problem);
  const block = await reservePorts();
  stack.defer(block.release);
  const folder = await mkdtemp(join(tmpdir(), "zooid-day-"));
  stack.defer(() => removeFolder(folder));
  const centre = DataCentre.create(block.first);
  stack.defer(() => centre.remove());
  await day(centre, folder);
  say(`${totals.passed} passed, ${totals.failed} failed`);
  if (totals.failed > 0) process.exitCode = 1;
}

await tidily(main);
