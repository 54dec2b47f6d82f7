/** Servers under load, and what starting and stopping them has in common. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type Server } from "node:net";
import { BenchError } from "../failure.ts";
import type { Address, Protocol } from "../load/plan.ts";
import type { ServerProcess } from "../processes.ts";

export type Target = AsyncDisposable & {
  /** The name in the tables. */
  readonly name: string;
  readonly protocol: Protocol;
  /** The version that the first server reports; undefined if it reports none. */
  readonly version: string | undefined;
  /** What is on a disk when a write is acknowledged. */
  readonly durability: string;
  /** One for each server. */
  readonly addresses: readonly Address[];
  /** zooid only: the URL of its NATS servers, for native clients. */
  readonly nats?: string | undefined;
  /** zooid only: the file that holds this URL, the data folder of each node, and its admin server's URL, if it has one. */
  readonly natsFile?: string | undefined;
  readonly folders?: readonly string[];
  readonly adminUrls?: readonly string[];
  /** All processes that the target needs, with what is between its servers. Empty if somebody else has started them. */
  readonly processes: readonly ServerProcess[];
  /** Returns what has gone wrong with the servers since the last call: one that ended, and errors that they wrote. */
  readonly problems: () => readonly string[];
};

/** This is below the range from which systems take ports for outgoing connections, so no connection takes such a port meanwhile. */
const PORT_MIN = 20_000;
const PORT_MAX = 30_000;
const PORT_TRIES_MAX = 100;
const FOUR_LETTER_TIMEOUT_MS = 2000;
const STOP_TIMEOUT_MS = 15_000;
const STDERR_CHARACTERS_MAX = 4000;

/** Returns the first of `count` consecutive loopback ports on which nothing listens. */
export async function freePorts(count: number): Promise<number> {
  for (let tried = 0; tried < PORT_TRIES_MAX; tried += 1) {
    const first = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN - count));
    const servers: Server[] = [];
    try {
      for (let port = first; port < first + count; port += 1) {
        const server = createServer().listen(port, "127.0.0.1");
        servers.push(server);
        await once(server, "listening");
      }
      return first;
    } catch {
      // A port is taken, so the next ones are tried.
    } finally {
      for (const server of servers) server.close();
    }
  }
  throw new BenchError(`found no ${count} free ports in a row between ${PORT_MIN} and ${PORT_MAX}`);
}

/** Returns the answer to one of ZooKeeper's four-letter words; undefined if none came. */
export async function fourLetterWord(
  { host, port }: Address,
  word: string,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let answer = "";
  const socket = createConnection({ host, port }, () => socket.write(word));
  socket.setEncoding("utf8");
  socket.setTimeout(FOUR_LETTER_TIMEOUT_MS, () => socket.destroy());
  socket.on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(answer === "" ? undefined : answer));
  return promise;
}

/** Returns the version in the first line of a server's answer to `srvr`. */
export async function versionOf(address: Address | undefined): Promise<string | undefined> {
  if (address === undefined) return undefined;
  const answer = await fourLetterWord(address, "srvr");
  return answer?.match(/^Zookeeper version: ([^\n]+)/)?.[1];
}

/** Keeps the end of what a process writes to its standard error, for the message if it fails. */
export function stderrOf(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (chunk: string) => {
    tail = (tail + chunk).slice(-STDERR_CHARACTERS_MAX);
  });
  return () => tail.trim();
}

const ALARMING =
  /\b(?:error|fatal|panic|exception|out of memory|timed out)\b|level=(?:error|fatal)/i;
const PROBLEMS_MAX = 5;
const LINE_CHARACTERS_MAX = 200;

/** Watches processes: the result has what went wrong since it was called last. */
export function watchProcesses(
  children: readonly { readonly label: string; readonly child: ChildProcess }[],
): () => readonly string[] {
  let problems: string[] = [];
  const add = (problem: string): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem);
  };
  for (const { label, child } of children) {
    child.on("exit", (code, signal) => add(`${label} ended (${signal ?? `exit ${code}`})`));
    child.stderr?.on("data", (chunk: Buffer | string) => {
      for (const line of alarmsIn(String(chunk))) add(`${label}: ${line}`);
    });
  }
  return () => {
    const found = problems;
    problems = [];
    return found;
  };
}

/** Returns the first lines of a log that somebody who reads the results must know of. */
export function alarmsIn(log: string): readonly string[] {
  const lines = log.split("\n").filter((line) => ALARMING.test(line));
  return lines.slice(0, PROBLEMS_MAX).map((line) => line.trim().slice(0, LINE_CHARACTERS_MAX));
}

/** Returns what a program of a Debian package prints with an argument. Throws a `BenchError` if it is not installed. */
export function versionText(program: string, argument: string, debianPackage: string): string {
  const { error, stdout, stderr } = spawnSync(program, [argument], { encoding: "utf8" });
  if (error !== undefined) {
    throw new BenchError(
      `no ${program} here; on Debian or Ubuntu: apt-get install ${debianPackage}`,
    );
  }
  return `${stdout}${stderr}`;
}

/**
 * Ends processes that the bench has started: with SIGTERM first, then with SIGKILL. The process tree is read before the first
 * signal.
 */
export async function stopProcesses(
  children: readonly ChildProcess[],
  family: () => readonly ServerProcess[],
): Promise<void> {
  const members = family();
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const gone = Promise.all(running.map((child) => once(child, "exit")));
  for (const child of running) child.kill("SIGTERM");
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), STOP_TIMEOUT_MS);
  const outcome = await Promise.race([gone, late]);
  clearTimeout(timer);
  if (outcome !== "late") return;
  for (const { pid } of members) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process has ended already.
    }
  }
  await gone;
}
