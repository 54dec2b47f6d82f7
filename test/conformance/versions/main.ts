/** `npm run conformance:versions`: the client over ZooKeeper's protocol against another Apache ZooKeeper than Debian's. */
import { existsSync, globSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { prepareDebian } from "../../setup/debian.ts";
import { runTests } from "../../setup/run-tests.ts";
import { totalsLine } from "../../setup/tap.ts";
import { fourLetters } from "../../support/four-letters.ts";
import { startZookeeper } from "../../support/zookeeper-server.ts";
import { UNDER_TEST, type ZookeeperUnderTest } from "../../support/zookeeper-under-test.ts";

const HELP = `npm run conformance:versions -- --home FOLDER | --classpath PATH[:PATH…]

Runs the client's conformance suite, its streams and recipes, its logins and its reconnects over zk:// against the servers of another version of
Apache ZooKeeper than Debian's.

  --home FOLDER       an unpacked release, such as apache-zookeeper-3.9.4-bin
  --classpath PATHS   what its server runs with: folders of classes and jars, with colons between them
  --name NAME         what the output calls it; default: the version that its server says
  --help              this text

The last line is "N passed, N failed". Exit code 1: something failed.`;

/** Those of Apache ZooKeeper. zooid and NATS are in the same files. */
const TITLES = ["zk:// to Apache ZooKeeper*", "ZooKeeper*"];
const FILES = [
  "test/conformance/client/zookeeper.test.ts",
  "test/integration/zookeeper-client.test.ts",
];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Releases have their jars in `lib`; those of 3.4 have their own beside it. */
function jarsOf(home: string): readonly string[] {
  return globSync([join(home, "*.jar"), join(home, "lib", "*.jar")]).toSorted();
}

/** Returns the class path, or throws with what is wrong with the arguments. */
function classPathOf(home: string | undefined, classPath: string | undefined): string {
  if ((home === undefined) === (classPath === undefined)) {
    throw new Error("give either --home or --classpath; --help tells more");
  }
  const entries = home === undefined ? (classPath ?? "").split(":") : jarsOf(home);
  if (entries.length === 0) {
    throw new Error(`--home ${home}: there are no jars in it nor in its folder lib`);
  }
  const missing = entries.filter((entry) => entry === "" || !existsSync(entry));
  if (missing.length > 0) {
    throw new Error(`--classpath: there is no ${missing.map((each) => `"${each}"`).join(", ")}`);
  }
  // Servers run in folders of their own.
  return entries.map((entry) => resolve(entry)).join(":");
}

/** Starts a server with the class path, and returns the version that it says. */
async function versionOf(classPath: string): Promise<string> {
  process.env[UNDER_TEST] = JSON.stringify({ version: "", classPath });
  const server = await startZookeeper();
  try {
    const answer = await fourLetters(server, "srvr");
    const [, version] = /^Zookeeper version: (\d+\.\d+\.\d+)/.exec(answer) ?? [];
    if (version === undefined) throw new Error(`its server does not say its version: ${answer}`);
    return version;
  } finally {
    await server.stop();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      home: { type: "string" },
      classpath: { type: "string" },
      name: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  if (values.home !== undefined && !isFolder(values.home)) {
    throw new Error(`--home ${values.home}: there is no such folder`);
  }
  const classPath = classPathOf(values.home, values.classpath);
  const problem = prepareDebian();
  if (problem !== undefined) throw new Error(problem);
  const version = await versionOf(classPath);
  const name = values.name ?? version;
  say(`Apache ZooKeeper ${name}, which says that it is ${version}`);
  const underTest: ZookeeperUnderTest = { version, classPath };
  const totals = await runTests({
    files: FILES,
    titles: TITLES,
    environment: { [UNDER_TEST]: JSON.stringify(underTest) },
  });
  say(totalsLine(totals));
  return totals.failed === 0 ? 0 : 1;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`✗ ${(error as Error).message}`);
  process.exitCode = 2;
}
