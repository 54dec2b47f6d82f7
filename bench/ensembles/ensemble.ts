/** The servers under load, whoever started them, and what is needed to start servers of any kind. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type Server } from "node:net";
import { BenchError } from "../failure.ts";
import type { Target } from "../load/plan.ts";
import type { ServerProcess } from "../processes.ts";

export type Ensemble = AsyncDisposable & {
  /** The name in the tables. */
  readonly name: string;
  /** The version that the first server reports; undefined if it reports none. */
  readonly version: string | undefined;
  readonly targets: readonly Target[];
  readonly processes: readonly ServerProcess[];
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
export async function fourLetterWord(target: Target, word: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let answer = "";
  const socket = createConnection({ host: target.host, port: target.port }, () =>
    socket.write(word),
  );
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
export async function versionOf(target: Target | undefined): Promise<string | undefined> {
  if (target === undefined) return undefined;
  const answer = await fourLetterWord(target, "srvr");
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
