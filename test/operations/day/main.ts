/**
 * `npm run ops:day`: a day of an operator's, as docs/operations/a-day.md tells it: three hosts (network namespaces) with the installed package, a
 * Prometheus that watches them, a rolling restart under load, a backup, the loss of every disk, and a restore. Needs root, Debian's packages and the
 * npm registry; takes about two minutes.
 */
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { prepareDebian } from "../../setup/debian.ts";
import { namespacesProblem } from "../../soak/namespaces.ts";
import type { Child } from "../../support/child.ts";
import { reservePorts } from "../../support/ports.ts";
import { CHECKOUT } from "../../support/zooid.ts";
import { buildPackage, manifestOf, pack, run } from "../../package/install.ts";
import { DataCentre } from "./hosts.ts";
import { Monitor } from "./monitor.ts";
import { COUNTS_PROGRAM, LOAD_PROGRAM } from "./programs.ts";
import { type Machine, Site } from "./site.ts";

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
const totals = { passed: 0, failed: 0 };

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
  const problems = await buildPackage(built);
  if (problems !== "") throw new Error(problems);
  const tarball = await pack(built, folder);
  const { devDependencies } = await manifestOf(CHECKOUT);
  const packages = [tarball, `node@${devDependencies["node"]}`];
  await run(["install", "--no-audit", "--no-fund", "--silent", ...packages], project, "npm");
  const zooid = join(project, "node_modules/.bin/zooid");
  const version = await run([zooid, "--version"], project, join(project, "node_modules/.bin/node"));
  check(/^\d/.test(version), `zooid ${version} is installed`);
  return project;
}

async function serve(site: Site, machines: readonly Machine[]): Promise<void> {
  const nodes = machines.map((machine) => site.startNode(machine));
  await Promise.all(nodes.map((node) => node.line(/^node \d+ {2}pid /)));
}

async function restart(site: Site, monitor: Monitor): Promise<void> {
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
  const isAll = (values: readonly number[]): boolean => values.length === 3;
  check(await monitor.says("up == 1", isAll), "Prometheus sees three nodes again");
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
    break;
  }
  await done(site.run(site.office, ["zooid", "verify-backup", file]), "the backup is verified");
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
  await serve(site, site.machines);
  check(true, "three nodes serve");
  say("== 09:00 Prometheus watches them");
  const monitor = await Monitor.start(site, folder);
  check(await monitor.says("up == 1", (values) => values.length === 3), "three nodes are scraped");
  check(
    await monitor.says('zooid_role{role="leading"} == 1', (all) => all.length === 1),
    "one leads",
  );
  const rules = await monitor.rules();
  check(rules.length > 10, `${rules.length} rules are loaded`);
  say("== 10:00 a rolling restart under load");
  await restart(site, monitor);
  const firing = (await monitor.rules()).filter(({ state }) => state === "firing");
  check(firing.length === 0, "no alert fires", firing.map(({ name }) => name).join());
  say("== 12:00 a backup");
  const before = await counts(site);
  const file = join(folder, "day.backup");
  await backup(site, file);
  say("== 15:00 all disks are lost");
  await site.lose();
  check(
    await monitor.says("up == 0", (values) => values.length === 3),
    "Prometheus misses all three",
  );
  const isPending = (await monitor.rules()).some(
    ({ name, state }) => name === "ZooidNodeDown" && state !== "inactive",
  );
  check(isPending, "ZooidNodeDown is raised");
  say("== 15:30 they are restored");
  await restore(site, file);
  for (const machine of site.machines) site.startNats(machine);
  await serve(site, site.machines);
  const after = await counts(site);
  check(after === before, `every count is there again: ${after}`, `${before}\n${after}`);
  check(
    await monitor.says("up == 1", (values) => values.length === 3),
    "Prometheus sees three nodes",
  );
}

async function main(): Promise<void> {
  const problem = prepareDebian("prometheus") ?? namespacesProblem();
  if (problem !== undefined) throw new Error(problem);
  const block = await reservePorts();
  const folder = await mkdtemp(join(tmpdir(), "zooid-day-"));
  const centre = DataCentre.create(block.first);
  try {
    await day(centre, folder);
  } finally {
    centre.remove();
    await rm(folder, { recursive: true, force: true });
    block.release();
  }
  say(`${totals.passed} passed, ${totals.failed} failed`);
  if (totals.failed > 0) process.exitCode = 1;
}

await main();
