/** Clients that others wrote, run as processes against any servers: each gives back what it printed. */
import { fileURLToPath } from "node:url";
import { Child } from "../../support/child.ts";
import { JAVA_OPTIONS } from "../../support/zookeeper-server.ts";
import { zookeeperClassPath } from "../../support/zookeeper-under-test.ts";
import { JAVA_COMMANDS } from "./java-commands.ts";

const PYTHON = "/usr/bin/python3";
const C_CLIENT = "/usr/lib/zookeeper/bin/cli_mt";

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Runs to its end; an exit code other than 0 is an error that shows all that was printed. */
async function run(child: Child): Promise<string[]> {
  await child.exited;
  if (child.process.exitCode !== 0) {
    throw new Error(`ended with ${child.process.exitCode}\n${child.output()}`);
  }
  return child.lines;
}

/** A client's own certificate with its key, and the authority that it trusts: it speaks TLS with them. Files in PEM form. */
export type ClientTls = {
  readonly key: string;
  readonly certificate: string;
  readonly store: string;
  readonly authority: string;
};

export function runKazoo(connectString: string, tls?: ClientTls): Promise<string[]> {
  return runKazooScript("kazoo_client.py", connectString, tls);
}

/** `script`: the name of a file beside this one. */
export function runKazooScript(
  script: string,
  connectString: string,
  tls?: ClientTls,
): Promise<string[]> {
  const files = tls === undefined ? [] : [tls.certificate, tls.key, tls.authority];
  return run(new Child({ command: PYTHON, args: ["-B", beside(script), connectString, ...files] }));
}

/** kazoo, whose user bob has this password. */
export function runKazooSasl(connectString: string, password: string): Promise<string[]> {
  const args = ["-B", beside("kazoo_sasl.py"), connectString, password];
  return run(new Child({ command: PYTHON, args }));
}

const JAVA_SASL_COMMANDS = [
  "whoami",
  'create /jaas "" auth::cdrwa',
  "getAcl /jaas",
  'create /jaas/other "" sasl:eve:cdrwa',
  "get /jaas/other",
  "delete /jaas/other",
  "delete /jaas",
  "sync /",
  "quit",
];

/** ZooKeeper's Java client, which logs in as the section of the JAAS file says. */
export async function runJavaSasl(
  connectString: string,
  jaas: { readonly file: string; readonly section: string },
): Promise<string[]> {
  const login = [
    `-Djava.security.auth.login.config=${jaas.file}`,
    `-Dzookeeper.sasl.clientconfig=${jaas.section}`,
  ];
  const main = ["org.apache.zookeeper.ZooKeeperMain", "-server", connectString];
  const args = [...JAVA_OPTIONS, ...login, "-cp", zookeeperClassPath(), ...main];
  const child = new Child({ command: "java", args });
  child.write(`${JAVA_SASL_COMMANDS.join("\n")}\n`);
  const lines = withoutLastEvent(await run(child));
  return lines.filter((line) => line !== "" && !line.startsWith("Connecting to ")).sort();
}

/** A program that does its work in sections, begun. `script`: the name of a file beside this one, in Python or for Node. */
export function startScript(script: string, ...args: readonly string[]): Child {
  const isPython = script.endsWith(".py");
  return new Child({
    command: isPython ? PYTHON : process.execPath,
    args: [...(isPython ? ["-B"] : []), beside(script), ...args],
    waitMsMax: 300_000,
  });
}

export function runNodeClient(connectString: string): Promise<string[]> {
  return run(
    new Child({ command: process.execPath, args: [beside("node_client.js"), connectString] }),
  );
}

type Typed = {
  readonly command: string;
  /** The line that shows that the command has been done. */
  readonly until: RegExp;
};

const C_COMMANDS: readonly Typed[] = [
  { command: "create /c", until: /^\tname = \/c$/ },
  { command: "set /c hello", until: /^\tversion=1/ },
  { command: "get /c", until: /^\tversion=1/ },
  { command: "create +s /c/s-", until: /^\tname = \/c\/s-0000000000$/ },
  { command: "create +s /c/s-", until: /^\tname = \/c\/s-0000000001$/ },
  { command: "create +e /c/e", until: /^\tname = \/c\/e$/ },
  { command: "create2 /c/two", until: /^\tephemeralOwner = 0$/ },
  { command: "ls2 /c", until: /^\tephemeralOwner = 0$/ },
  { command: "delete /c/e", until: /^\/c\/e: rc = 0$/ },
  { command: "set /c again", until: /^\tversion=2/ },
  { command: "exists /nope", until: /^Error -101 for \/nope$/ },
  { command: "delete /c", until: /^\/c: rc = / },
  { command: "wexists /late", until: /^Error -101 for \/late$/ },
  { command: "create +e /late", until: /^\tname = \/late$/ },
  { command: "sync /c", until: /^\tname = \/c$/ },
];

/** ZooKeeper's C client, its commands typed one after the other. Lists are shown sorted, numbers of the server left out. */
export async function runCClient(connectString: string): Promise<string[]> {
  const child = new Child({ command: C_CLIENT, args: ["-h", connectString] });
  try {
    await child.line(/CONNECTED_STATE/);
    for (const { command, until } of C_COMMANDS) {
      const after = child.lines.length;
      child.write(`${command}\n`);
      await child.line(until, after);
    }
    child.write("quit\n");
    return (await run(child))
      .map(withoutNumbers)
      .filter((line) => line !== "")
      .sort();
  } finally {
    child.kill("SIGKILL");
  }
}

function withoutNumbers(line: string): string {
  if (/^time = |^\d{4}-|session id/.test(line)) return "";
  return line.replace(/([cm]zxid)=\w+/, "$1").replace(/([cm]time) ?= ?.*/, "$1");
}

function javaTls({ store, authority }: ClientTls): readonly string[] {
  return [
    "-Dzookeeper.client.secure=true",
    "-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty",
    `-Dzookeeper.ssl.keyStore.location=${store}`,
    "-Dzookeeper.ssl.keyStore.type=PEM",
    `-Dzookeeper.ssl.trustStore.location=${authority}`,
    "-Dzookeeper.ssl.trustStore.type=PEM",
  ];
}

const CLOSED = "WatchedEvent state:Closed type:None path:null";

/**
 * The client tells its watcher in a thread of its own that it is closed, and its main thread ends the process without waiting
 * for that thread (`ClientCnxn.disconnect` joins the sending thread only). So whether this last event is printed, or its heading
 * alone, or nothing, is a matter of chance with every server. Elsewhere than at the end it counts.
 */
export function withoutLastEvent(lines: readonly string[]): readonly string[] {
  const isLast = (line: string): boolean => line === "" || line === "WATCHER::" || line === CLOSED;
  return lines.slice(0, lines.findLastIndex((line) => !isLast(line)) + 1);
}

/**
 * `ls` prints a list piece by piece (`LsCommand.printChildren`), and an event that comes meanwhile is printed by another thread in its
 * middle, with every server. The rest of such a list is put behind its beginning.
 */
export function withWholeLists(lines: readonly string[]): readonly string[] {
  const whole: string[] = [];
  let cut: number | undefined;
  for (const line of lines) {
    const isEvent = line === "WATCHER::" || line.startsWith("WatchedEvent ");
    if (cut !== undefined && !isEvent) {
      const list = (whole[cut] ?? "") + line;
      whole[cut] = list;
      if (list.endsWith("]")) cut = undefined;
      continue;
    }
    if (isEvent && cut === undefined && /^\[[^\]]*$/.test(whole.at(-1) ?? ""))
      cut = whole.length - 1;
    whole.push(line);
  }
  return whole;
}

/** ZooKeeper's Java client by its command line. Errors and events come from other threads: lines are shown sorted. */
export async function runJavaClient(connectString: string, tls?: ClientTls): Promise<string[]> {
  const child = new Child({
    command: "java",
    args: [
      ...JAVA_OPTIONS,
      ...(tls === undefined ? [] : javaTls(tls)),
      "-cp",
      zookeeperClassPath(),
      "org.apache.zookeeper.ZooKeeperMain",
      "-server",
      connectString,
    ],
  });
  child.write(`${JAVA_COMMANDS.join("\n")}\n`);
  const lines = withoutLastEvent(await run(child));
  return (
    withWholeLists(lines.filter((line) => line !== ""))
      .filter((line) => !line.startsWith("Connecting to "))
      // A ZooKeeper alone has no configuration of members to show.
      .filter((line) => !/^server\.\d+=|^version=\d+$/.test(line))
      .map((line) => line.replace(/^(.Zxid|.time|ephemeralOwner) = .*/, "$1"))
      .sort()
  );
}
