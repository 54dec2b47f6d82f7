/** Kazoo's own tests, as Debian's package of kazoo has them, with servers of their own that they start and stop. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../../support/child.ts";
import { startNatsServer } from "../../support/nats-server.ts";
import { JAVA_OPTIONS } from "../../support/zookeeper-server.ts";
import { zookeeperClassPath } from "../../support/zookeeper-under-test.ts";
import { COMMAND_LINE } from "../../support/zooid-command.ts";

export const SERVERS = ["zookeeper", "zooid"] as const;
export type ServerName = (typeof SERVERS)[number];

const PACKAGES = "/usr/lib/python3/dist-packages";
const FOLDER = "kazoo/tests";
/** Its tests leave their servers as they are if these do not start, so all others come in a process before it. */
const SASL = `${FOLDER}/test_sasl.py`;
/** One process each. The first of the arguments are options. */
const PARTS = [[`--ignore=${SASL}`, FOLDER], [SASL]] as const;
/** How often a test is run that fails: many wait for a fixed time, which a busy machine is late for. */
const TRIES = 3;

/** Kazoo's tests have three servers with four ports each, from one step to the next. */
export const PORT_STEP = 10;
const PORTS = 3 * PORT_STEP;
/** A server that is reached through another listens so many ports higher than it was told. */
export const PORT_SHIFT = 5;
/** Below the ports that other tests reserve. */
const FIRST_PORT = 9_000;
const LAST_PORT = 11_990;

/** What they ask for and zooid refuses: members added and taken away by commands, observers among them. */
export const LEFT_OUT: Readonly<Record<ServerName, readonly string[]>> = {
  zookeeper: [],
  zooid: ["kazoo/tests/test_client.py::TestReconfig"],
};

/** What they expect of a server and zooid means to do otherwise, by the end of a test's id. `docs/compatibility.md` has the differences. */
export const INTENDED: ReadonlyMap<string, string> = new Map([
  [
    "::test_create_large_value",
    "a request that is too long is answered, and then its connection is closed",
  ],
]);

export function intendedOf(id: string): string | undefined {
  return [...INTENDED].find(([end]) => id.endsWith(end))?.[1];
}

/** `passedAgain`: it failed, and passed when it was run again. A busy machine may be why, or a fault that seldom shows. */
export type Outcome = "passed" | "passedAgain" | "failed" | "skipped";
/** By the test's id for pytest. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export type SuiteOptions = {
  /** `-k` of pytest. Default: all. */
  readonly only?: string;
  readonly deselect: readonly string[];
  /** How often a test is run that fails. Default 3. */
  readonly tries?: number;
  readonly say: (text: string) => void;
  /**
   * Told of the first of the three client ports. The servers then listen `PORT_SHIFT` higher, and whoever is told has to pass on what comes.
   * Returns how that is ended.
   */
  readonly relay?: (firstPort: number) => Promise<() => Promise<void>>;
};

export async function runSuite(server: ServerName, options: SuiteOptions): Promise<Outcomes> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-kazoo-"));
  const nats = await startNatsServer();
  const firstPort = await freePorts();
  const stopRelay = await options.relay?.(firstPort);
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "java"), commandOf(server, nats.url));
  await chmod(join(bin, "java"), 0o755);
  const env = {
    PATH: [bin, process.env["PATH"] ?? ""].join(delimiter),
    ZOOKEEPER_CLASSPATH: zookeeperClassPath(),
    ZOOKEEPER_VERSION: "3.8.0",
    ZOOKEEPER_PORT_OFFSET: String(firstPort),
    TMPDIR: folder,
    ZOOID_KAZOO_PORT_SHIFT: options.relay === undefined ? "0" : String(PORT_SHIFT),
  };
  try {
    const outcomes = new Map<string, Outcome>();
    for (const part of PARTS) {
      for (const [id, outcome] of await runPart(folder, env, part, options)) {
        outcomes.set(id, outcome);
      }
    }
    return outcomes;
  } finally {
    await stopRelay?.();
    await nats.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A test has failed if it fails however often it is run. */
async function runPart(
  folder: string,
  env: Readonly<Record<string, string>>,
  part: readonly string[],
  options: SuiteOptions,
): Promise<Outcomes> {
  const filter = options.only === undefined ? [] : ["-k", options.only];
  const deselect = options.deselect.flatMap((id) => ["--deselect", id]);
  const outcomes = new Map(
    await runPytest(folder, env, [...filter, ...deselect, ...part], options.say),
  );
  for (let tried = 1; tried < (options.tries ?? TRIES); tried += 1) {
    const failed = [...outcomes].filter(([, outcome]) => outcome === "failed").map(([id]) => id);
    if (failed.length === 0) break;
    options.say(`${failed.length} failed and are run again`);
    for (const [id, outcome] of againOf(await runPytest(folder, env, failed, options.say))) {
      outcomes.set(id, outcome);
    }
  }
  return outcomes;
}

/** What comes of tests that have failed before. */
export function againOf(outcomes: Outcomes): Outcomes {
  return new Map(
    [...outcomes].map(([id, outcome]) => [id, outcome === "passed" ? "passedAgain" : outcome]),
  );
}

async function runPytest(
  folder: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  say: (text: string) => void,
): Promise<Outcomes> {
  const report = join(folder, "report.xml");
  await rm(report, { force: true });
  const child = new Child({
    command: "/usr/bin/python3",
    args: [
      ...["-B", "-m", "pytest", "-p", "no:cacheprovider", "-v", "--rootdir", PACKAGES],
      ...["--show-capture=no", `--junitxml=${report}`, ...args],
    ],
    cwd: PACKAGES,
    env,
  });
  const progress = setInterval(() => {
    const done = child.lines.filter((line) => /(PASSED|FAILED|SKIPPED|ERROR) +\[/.test(line));
    say(`… ${done.length} tests`);
  }, 30_000);
  await child.exited;
  clearInterval(progress);
  const text = await readFile(report, "utf8").catch(() => {
    throw new Error(`the tests did not run\n${child.output()}`);
  });
  return outcomesOf(text);
}

/** Reads pytest's report: each test is an element, with another in it that says why it did not pass. */
export function outcomesOf(report: string): Outcomes {
  const outcomes = new Map<string, Outcome>();
  for (const element of report.split("<testcase ").slice(1)) {
    const [, module = "", name = ""] = /classname="([^"]*)" name="([^"]*)"/.exec(element) ?? [];
    const parts = module.split(".");
    const file = parts.slice(0, -1).join("/");
    const isBad = /<(failure|error)[ >]/.test(element);
    const outcome = isBad ? "failed" : element.includes("<skipped") ? "skipped" : "passed";
    outcomes.set(`${file}.py::${parts.at(-1)}::${name}`, outcome);
  }
  return outcomes;
}

/** What the tests start as `java`. They may be killed before they end their servers. */
function commandOf(server: ServerName, natsUrl: string): string {
  const run = `exec setpriv --pdeathsig KILL`;
  if (server === "zookeeper") {
    const path = process.env["PATH"] ?? "";
    return `#!/bin/sh\nPATH='${path}'\n${run} java ${JAVA_OPTIONS.join(" ")} "$@"\n`;
  }
  const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  return [
    "#!/bin/sh",
    `arguments=$('${process.execPath}' '${beside("zooid-arguments.ts")}' "$@") || exit 1`,
    `${run} '${process.execPath}' '${COMMAND_LINE}' $arguments --nats ${natsUrl} --peer-timeout-ms 15000`,
    "",
  ].join("\n");
}

async function freePorts(): Promise<number> {
  for (let first = FIRST_PORT; first + PORTS <= LAST_PORT; first += PORTS) {
    const free = await Promise.all(
      Array.from({ length: PORTS }, (_, index) => isFree(first + index)),
    );
    if (!free.includes(false)) return first;
  }
  throw new Error("no free ports");
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
