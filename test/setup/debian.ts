/**
 * What the tests run beside zooid: nats-server, Apache ZooKeeper, and clients of it that are not ours. They are Debian
 * packages; what is missing is installed when we are root, one process at a time.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

type Need = { readonly package: string; readonly isThere: () => boolean };

export const CHROMIUM = "/usr/bin/chromium-headless-shell";
export const CLICKHOUSE_SERVER = "/usr/sbin/clickhouse-server";

const TESTS: readonly Need[] = [
  { package: "nats-server", isThere: () => existsSync("/usr/sbin/nats-server") },
  { package: "default-jre-headless", isThere: () => existsSync("/usr/bin/java") },
  { package: "zookeeper", isThere: () => existsSync("/usr/share/java/zookeeper.jar") },
  { package: "libjetty9-java", isThere: () => hasJar("jetty9-server") },
  { package: "zookeeper-bin", isThere: () => existsSync("/usr/lib/zookeeper/bin/cli_mt") },
  { package: "libcurator-recipes-java", isThere: () => hasJar("curator-recipes") },
  { package: "libcurator-discovery-java", isThere: () => hasJar("curator-x-discovery") },
  { package: "libjackson2-databind-java", isThere: () => hasJar("jackson-databind") },
  { package: "libzookeeper-mt-dev", isThere: () => existsSync("/usr/include/zookeeper") },
  { package: "libzookeeper-st2", isThere: hasSingleThreadedLibrary },
  { package: "gcc", isThere: () => existsSync("/usr/bin/gcc") },
  { package: "libc6-dev", isThere: () => existsSync("/usr/include/stdio.h") },
  { package: "python3-pure-sasl", isThere: () => hasPythonModule("puresasl") },
  { package: "python3-kazoo", isThere: () => hasPythonModule("kazoo") },
  { package: "collectd-core", isThere: () => existsSync("/usr/lib/collectd/zookeeper.so") },
  { package: "zktop", isThere: () => existsSync("/usr/bin/zktop") },
  // For `systemd-notify` and `systemd-analyze`; nothing of it is run.
  { package: "systemd", isThere: () => existsSync("/usr/bin/systemd-notify") },
  { package: "openssl", isThere: () => existsSync("/usr/bin/openssl") },
  // Chromium without windows: the same engine as Debian's `chromium`, of the same source package.
  { package: "chromium-headless-shell", isThere: () => existsSync(CHROMIUM) },
];

/** What kazoo's own tests need beside kazoo, which has them in its package. */
const KAZOO: readonly Need[] = [
  ...TESTS,
  ...["pytest", "mock", "objgraph", "gevent", "eventlet", "puresasl"].map((name) => ({
    package: `python3-${name === "puresasl" ? "pure-sasl" : name}`,
    isThere: () => hasPythonModule(name),
  })),
];

/** The smallest compiler of Go that Debian has. */
const GO: readonly Need[] = [
  ...TESTS,
  { package: "gccgo-12", isThere: () => existsSync("/usr/bin/gccgo-12") },
  {
    package: "golang-github-samuel-go-zookeeper-dev",
    isThere: () => existsSync("/usr/share/gocode/src/github.com/samuel/go-zookeeper"),
  },
];

/** It keeps a cluster of PostgreSQL in ZooKeeper; without a configuration its service does not start. */
const PATRONI: readonly Need[] = [
  ...TESTS,
  { package: "patroni", isThere: () => hasPythonModule("patroni") },
];

/** It scrapes a node and checks the alert rules. */
const PROMETHEUS: readonly Need[] = [
  ...TESTS,
  { package: "prometheus", isThere: () => existsSync("/usr/bin/promtool") },
];

/** A server of 2018, the newest that Debian has. */
const CLICKHOUSE: readonly Need[] = [
  ...TESTS,
  { package: "clickhouse-server", isThere: () => existsSync(CLICKHOUSE_SERVER) },
];

export type PackageSet = "tests" | "kazoo" | "go" | "patroni" | "prometheus" | "clickhouse";
const SETS: Readonly<Record<PackageSet, readonly Need[]>> = {
  ...{ tests: TESTS, kazoo: KAZOO, go: GO, patroni: PATRONI, prometheus: PROMETHEUS },
  clickhouse: CLICKHOUSE,
};

const LOCK_WAIT_SECONDS = 600;

/** Debian's own interpreter: another `python3` on the PATH does not see Debian's packages. */
function hasPythonModule(name: string): boolean {
  return spawnSync("/usr/bin/python3", ["-c", `import ${name}`], { stdio: "ignore" }).status === 0;
}

function hasJar(name: string): boolean {
  return existsSync(`/usr/share/java/${name}.jar`);
}

/** The folder of libraries is that of the machine's kind. */
function hasSingleThreadedLibrary(): boolean {
  return globSync("/usr/lib/*/libzookeeper_st.so.2").length > 0;
}

function missingPackages(set: PackageSet): readonly string[] {
  return SETS[set].filter((need) => !need.isThere()).map((need) => need.package);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function run(command: string, args: readonly string[]): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // What apt prints goes to stderr: the last line of stdout stays the totals.
  const done = spawnSync(command, args, { stdio: ["ignore", 2, 2], env: environment });
  return done.error === undefined && done.status === 0;
}

/** Called while the lock is held: another process may have installed everything meanwhile. */
function installMissing(set: PackageSet): boolean {
  const missing = missingPackages(set);
  if (missing.length === 0) return true;
  const wait = `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`;
  run("apt-get", ["-o", wait, "update"]); // A source that is away does not matter if the install works.
  return run("apt-get", ["-o", wait, "install", "-y", "--no-install-recommends", ...missing]);
}

/** Returns what is wrong, in words for whoever runs the tests, or undefined when everything is there. */
export function prepareDebian(set: PackageSet = "tests"): string | undefined {
  const missing = missingPackages(set);
  if (missing.length === 0) return undefined;
  const advice = `run: apt-get update && apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get")) {
    return `the tests need ${missing.join(", ")}, and this is not Debian: install what these packages hold, at the same paths`;
  }
  if (!isRoot()) return `the tests need Debian's ${missing.join(", ")}; as root, ${advice}`;
  const lock = join(tmpdir(), "zooid-apt.lock");
  const self = fileURLToPath(import.meta.url);
  run("flock", ["-w", `${LOCK_WAIT_SECONDS}`, lock, process.execPath, self, "--locked", set]);
  const left = missingPackages(set);
  if (left.length === 0) return undefined;
  return `could not install ${left.join(", ")} (see above); ${advice}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--locked")) {
  const set = (Object.keys(SETS) as PackageSet[]).find((name) => process.argv.includes(name));
  process.exitCode = installMissing(set ?? "tests") ? 0 : 1;
}
