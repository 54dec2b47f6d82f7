/**
 * `npm run migrate:check -- --znodes 100000`: a tree of so many znodes goes from Apache ZooKeeper to three nodes of zooid and back, while kazoo and
 * Curator write. It prints sizes, times, pauses and memory, and ends with 1 if anything that was answered is lost, or a pause is not under a second.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { type Client, connect } from "../../client/connect.ts";
import { prepareDebian } from "../setup/debian.ts";
import { compileJava } from "../support/java.ts";
import { ZooidEnsemble } from "../support/zooid.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";
import { eventsIn } from "./command.ts";
import { type Moved, moved } from "./moved.ts";
import { lossesOf, startKazoo } from "./writers.ts";

const JAVA = fileURLToPath(new URL("java", import.meta.url));
const BATCH = 500;
const UNDER_WAY = 8;
const CHILDREN = 1_000;
const DATA_BYTES = 100;
const PAUSE_MS_MAX = 1_000;
/** How long a copy may take: only a hang reaches it. */
const WAIT_MS = 4 * 3_600_000;
/** How often it is printed how far a phase has come. */
const PROGRESS_MS = 10_000;

const { values } = parseArgs({ options: { znodes: { type: "string", default: "100000" } } });
const znodes = Number(values.znodes);
if (!Number.isSafeInteger(znodes) || znodes < 1)
  throw new Error("--znodes is a whole number from 1 on");

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function fill(client: Client): Promise<void> {
  await client.create("/tree");
  const data = new Uint8Array(DATA_BYTES).fill(120);
  for (let parent = 0; parent * CHILDREN < znodes; parent += 1)
    await client.create(`/tree/${parent}`);
  const underWay: Promise<unknown>[] = [];
  for (let at = 0; at < znodes; at += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, znodes - at) }, (_, index) => at + index);
    const writing = client
      .transaction((t) =>
        numbers.map((n) => t.create(`/tree/${Math.floor(n / CHILDREN)}/${n}`, data)),
      )
      .commit();
    underWay.push(writing);
    if (underWay.length >= UNDER_WAY) await underWay.shift();
  }
  await Promise.all(underWay);
}

/** Prints what `zooid migrate` says, of its progress a line as each phase begins and now and then. */
function printing(): (line: string) => void {
  let printed = { phase: "", atMs: 0 };
  return (line) => {
    for (const { event, at: _, ...fields } of eventsIn(line)) {
      if (event === "progress") {
        const progress = { phase: String(fields["phase"]), atMs: performance.now() };
        const isSoon = progress.atMs - printed.atMs < PROGRESS_MS;
        if (progress.phase === printed.phase && isSoon) continue;
        printed = progress;
      }
      say(`  ${String(event)} ${JSON.stringify(fields)}`);
    }
  };
}

function report(
  direction: string,
  { pausedMs, events, peakMib }: Moved,
  losses: readonly string[],
): void {
  const told = (name: string): string =>
    events
      .filter(({ event }) => event === name)
      .map((each) => `${name} ${String(each["znodes"])} znodes in ${String(each["ms"])} ms`)
      .join(", ");
  say(
    `${direction}: ${told("copied")}; ${told("compared")}; a pause of ${pausedMs} ms; ${peakMib} MiB`,
  );
  for (const loss of losses) say(`  lost: ${loss}`);
}

const problem = prepareDebian();
if (problem !== undefined) throw new Error(problem);
await using ending = new AsyncDisposableStack();
const zookeeper = await startZookeeper({
  // As it is by default: a target that ends containers at once would have them made again and again.
  ...{ tickTimeMs: 2_000, containerCheckMs: 60_000, javaOptions: ["-Xmx3g"] },
});
ending.defer(zookeeper.stop);
const ensemble = await ZooidEnsemble.start();
ending.defer(() => ensemble.stop());
const java = await compileJava(JAVA);
ending.defer(java.remove);
const apache = `zk://127.0.0.1:${zookeeper.port}`;
const native = `@${ensemble.clientUrlFile}`;
const servers = ensemble.connectString;
const source = await connect(apache, { sessionTimeoutMs: 40_000, operationTimeoutMs: 120_000 });
ending.defer(() => source.close());
const url = readFileSync(ensemble.clientUrlFile, "utf8").trim();
const target = await connect(url, { sessionTimeoutMs: 40_000, operationTimeoutMs: 120_000 });
ending.defer(() => target.close());
const startedMs = performance.now();
await fill(source);
say(`${znodes} znodes at ZooKeeper after ${Math.round(performance.now() - startedMs)} ms`);

const failures: string[] = [];
for (const [direction, args, names, client] of [
  ["to zooid", [apache, native, "--to-servers", servers], ["kazoo1", "curator1"], target],
  [
    "to ZooKeeper",
    [native, apache, "--from-servers", servers, "--delete"],
    ["kazoo2", "curator2"],
    source,
  ],
] as const) {
  const writers = names.map(
    (name) => (address: string) =>
      name.startsWith("kazoo")
        ? startKazoo(address, name)
        : java.start("CuratorMigrated", [address, name]),
  );
  say(`${direction} ...`);
  const all = await moved(args, writers, { waitMs: WAIT_MS, onLine: printing() });
  const losses: string[] = all.exitCode === 0 ? [] : [`the exit code is ${all.exitCode}`];
  for (const [index, name] of names.entries()) {
    const log = all.logs[index];
    if (log !== undefined) losses.push(...(await lossesOf(client, name, log)));
  }
  if (all.pausedMs >= PAUSE_MS_MAX) losses.push(`a pause of ${all.pausedMs} ms`);
  report(direction, all, losses);
  failures.push(...losses);
}
process.exitCode = failures.length === 0 ? 0 : 1;
