/**
 * `npm run conformance:shapes`: runs the foreign clients, and kazoo's own tests, through recording proxies and writes the shapes of their
 * requests.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prepareDebian } from "../../setup/debian.ts";
import { compileC } from "../../support/c.ts";
import type { Child } from "../../support/child.ts";
import { compileJava } from "../../support/java.ts";
import { startZooid } from "../../support/zooid.ts";
import {
  runCClient,
  runJavaClient,
  runKazoo,
  runKazooScript,
  runNodeClient,
  startScript,
} from "../clients/clients.ts";
import { HERE } from "../clients/features.ts";
import { runProgram } from "../clients/programs.ts";
import { compileGo } from "../go/program.ts";
import { LEFT_OUT, PORT_SHIFT, PORT_STEP, runSuite } from "../kazoo/suite.ts";
import { RecordingProxies } from "./proxies.ts";
import { type CountedShape, Recording } from "./record.ts";

const FILE = fileURLToPath(new URL("../shapes.json", import.meta.url));
const PARTS = ["framework", "locks", "caches", "nodes", "kill"] as const;

function beside(name: string): string {
  return fileURLToPath(new URL(`../clients/${name}`, import.meta.url));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One shape a line, so that differences of two recordings can be read. */
function textOf(shapes: readonly CountedShape[]): string {
  return `[\n${shapes.map((shape) => `  ${JSON.stringify(shape)}`).join(",\n")}\n]\n`;
}

/** Every program has a fresh server: their znodes have the same names. */
async function record(
  recording: Recording,
  client: string,
  run: (proxies: RecordingProxies) => Promise<unknown>,
): Promise<void> {
  const node = await startZooid();
  const proxies = await RecordingProxies.start(recording, node.port);
  proxies.client = client;
  say(`${client} …`);
  try {
    await run(proxies);
  } finally {
    await proxies.stop();
    await node.stop();
  }
}

type Program = (...args: readonly string[]) => Child;

async function recordPrograms(recording: Recording): Promise<void> {
  const c = await compileC(beside("c/c_client.c"));
  const java = await compileJava(beside("java"));
  const go = await compileGo();
  const programs: readonly (readonly [client: string, start: Program])[] = [
    ["c mt", (...args) => c.start("multi-threaded", args)],
    ["c st", (...args) => c.start("single-threaded", args)],
    ["kazoo", (servers = "") => startScript("kazoo_recipes.py", servers)],
    ["node", (servers = "") => startScript("node_kill.js", servers)],
    ["go", (...args) => go.start(args)],
    ["java", (...args) => java.start("JavaClient", args)],
    ...PARTS.map(
      (part) =>
        [
          `curator ${part}`,
          (...args: readonly string[]) => java.start("CuratorClient", [...args, part]),
        ] as const,
    ),
  ];
  try {
    for (const [client, start] of programs) {
      await record(recording, client, (proxies) =>
        runProgram(start(proxies.connectString, HERE.join(",")), proxies),
      );
    }
  } finally {
    await c.remove();
    await java.remove();
    await go.remove();
  }
}

async function recordKazooTests(recording: Recording): Promise<void> {
  say("kazoo's own tests …");
  await runSuite("zooid", {
    deselect: LEFT_OUT.zooid,
    tries: 1,
    say,
    relay: async (first) => {
      const ports = [first, first + PORT_STEP, first + 2 * PORT_STEP];
      const routes = ports.map((port) => ({ port, behind: port + PORT_SHIFT }));
      const proxies = await RecordingProxies.startRoutes(recording, routes);
      proxies.client = "kazoo tests";
      return () => proxies.stop();
    },
  });
}

async function main(): Promise<void> {
  for (const set of ["kazoo", "go"] as const) {
    const problem = prepareDebian(set);
    if (problem !== undefined) throw new Error(problem);
  }
  const recording = new Recording();
  await record(recording, "kazoo", ({ connectString }) => runKazoo(connectString));
  await record(recording, "kazoo", ({ connectString }) =>
    runKazooScript("kazoo_acls.py", connectString),
  );
  await record(recording, "node", ({ connectString }) => runNodeClient(connectString));
  await record(recording, "cli_mt", ({ connectString }) => runCClient(connectString));
  await record(recording, "zkCli", ({ connectString }) => runJavaClient(connectString));
  await recordPrograms(recording);
  await recordKazooTests(recording);
  const shapes = recording.shapes();
  writeFileSync(FILE, textOf(shapes));
  say(`${shapes.length} shapes written to ${FILE}`);
}

await main();
