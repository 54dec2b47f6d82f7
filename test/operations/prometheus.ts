/**
 * `npm run ops:check -- prometheus`: Debian's Prometheus scrapes a node, loads the alert rules, and answers every query of the board. Its package is too
 * large for `npm test`, where `test/integration/metrics.test.ts` holds the same files to what a node tells.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { prepareDebian } from "../setup/debian.ts";
import { Child } from "../support/child.ts";
import { reservePorts } from "../support/ports.ts";
import { startZooid } from "../support/zooid.ts";
import { check } from "./check.ts";
import { removeFolder } from "./tidily.ts";

const RULES = fileURLToPath(new URL("../../ops/prometheus/zooid.rules.yml", import.meta.url));
const BOARD = new URL("../../ops/grafana/zooid.json", import.meta.url);
const JOB = "zooid";
const LOOK_EVERY_MS = 250;
const LOOKS_MAX = 240;
const ANSWER_MS_MAX = 5000;
/** Promtool's code for metrics that are well formed and have names that it would not have chosen: ZooKeeper's. */
const LINT_CODE = 3;

function promtool(what: string, argument: readonly string[], input = ""): void {
  const done = spawnSync("promtool", ["check", what, ...argument], { input, encoding: "utf8" });
  const own = `${done.stdout}${done.stderr}`
    .split("\n")
    .filter((line) => line.startsWith("zooid_"));
  check(done.status === 0 || done.status === LINT_CODE, `promtool check ${what}`);
  for (const line of own) check(false, line);
}

async function ask(url: string, query: string): Promise<unknown> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch(`${url}/api/v1/${query}`, { signal });
  const { status, data } = (await response.json()) as { status: string; data: unknown };
  return status === "success" ? data : undefined;
}

type Rule = { readonly name: string; readonly health: string; readonly state: string };

async function rulesOf(url: string): Promise<readonly Rule[]> {
  const data = (await ask(url, "rules")) as { groups: { rules: Rule[] }[] } | undefined;
  return data?.groups.flatMap(({ rules }) => rules) ?? [];
}

/** Prometheus looks at the rules now and then. */
async function evaluated(url: string): Promise<readonly Rule[]> {
  for (let look = 1; ; look += 1) {
    const rules = await rulesOf(url).catch(() => []);
    const isDone = rules.length > 0 && rules.every(({ health }) => health !== "unknown");
    if (isDone || look === LOOKS_MAX) return rules;
    await wait(LOOK_EVERY_MS);
  }
}

async function isScraped(url: string): Promise<boolean> {
  for (let look = 1; look <= LOOKS_MAX; look += 1) {
    const data = await ask(url, "query?query=up").catch(() => undefined);
    const { result = [] } = (data ?? {}) as { result?: { value: [number, string] }[] };
    if (result[0]?.value[1] === "1") return true;
    await wait(LOOK_EVERY_MS);
  }
  return false;
}

async function boardQueries(): Promise<readonly string[]> {
  const board = JSON.parse(await readFile(BOARD, "utf8")) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  return board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

/** As Grafana fills in its variables. */
function filled(query: string): string {
  return query
    .replaceAll("$job", JOB)
    .replaceAll("$instance", ".*")
    .replaceAll("$__rate_interval", "1m");
}

type Site = { readonly folder: string; readonly stack: AsyncDisposableStack };

async function scrape({ folder, stack }: Site, target: string): Promise<void> {
  const block = await reservePorts();
  stack.defer(block.release);
  const url = `http://127.0.0.1:${block.first}`;
  const config = join(folder, "prometheus.yml");
  const times = "global: {scrape_interval: 1s, evaluation_interval: 1s}";
  const job = `scrape_configs: [{job_name: ${JOB}, static_configs: [{targets: ["${target}"]}]}]`;
  await writeFile(config, `${times}\nrule_files: ["${RULES}"]\n${job}\n`);
  const prometheus = new Child({
    command: "prometheus",
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${block.first}`,
    ],
  });
  stack.defer(() => prometheus.stop());
  await prometheus.line(/Server is ready to receive web requests/);
  check(await isScraped(url), "the node is scraped");
  const rules = await evaluated(url);
  check(rules.length > 10, `${rules.length} rules are loaded`);
  for (const { name, health, state } of rules) {
    check(health === "ok" && state !== "firing", `${name} is evaluated, and says nothing`);
  }
  const queries = await boardQueries();
  for (const query of queries) {
    const data = await ask(url, `query?query=${encodeURIComponent(filled(query))}`);
    check(data !== undefined, `Prometheus answers ${query}`);
  }
  check(queries.length > 10, `the board has ${queries.length} queries`);
}

export async function checkPrometheus(stack: AsyncDisposableStack): Promise<void> {
  const problem = prepareDebian("prometheus");
  if (problem !== undefined) throw new Error(problem);
  const folder = await mkdtemp(join(tmpdir(), "zooid-prometheus-"));
  stack.defer(() => removeFolder(folder));
  const node = await startZooid({ lines: ["admin.serverPort=0"] });
  stack.defer(node.stop);
  const url = await node.adminUrl();
  promtool("rules", [RULES]);
  promtool("metrics", [], await (await fetch(`${url}/metrics`)).text());
  await scrape({ folder, stack }, url.replace("http://", ""));
}
