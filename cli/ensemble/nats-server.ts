/** Starts a nats-server of our own on loopback, for ensembles on one machine and for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ZooidError } from "../../protocol/errors.ts";
import { natsServerProgram, type NatsServerPlaces } from "./nats-server-binary.ts";

const READY_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 20;
/** A server that has not stopped by then is killed. */
const STOP_WITHIN_MS = 5_000;
const LAST_WORDS_MAX = 20;

/** nats-server was there but did not serve. The message holds its last words. */
export class NatsServerFailedError extends ZooidError {
  override readonly name = "NatsServerFailedError";
  readonly code = "ZOOID_NATS_SERVER_FAILED";
  readonly retryable = true;
}

export type NatsServerOptions = NatsServerPlaces & {
  /** Default: a free one. */
  readonly port?: number;
  /** A configuration file for it; address and port come from here all the same. */
  readonly configFile?: string;
};

export type NatsServer = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when it has exited, for whatever reason: `signal SIGKILL`, `code 1`. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
  /** At once, as in a crash. */
  kill(): void;
};

type Started = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<string>;
  /** The last lines it logged. */
  readonly words: readonly string[];
};

/** Debian has it in util-linux, which every system has. */
const SETPRIV = "/usr/bin/setpriv";

/** Where the kernel can be asked to, the server ends with this process, however that comes about. */
function endingWithUs(program: string): readonly [string, ...string[]] {
  if (!existsSync(SETPRIV)) return [program];
  return [SETPRIV, "--pdeathsig", "SIGTERM", program];
}

async function start(options: NatsServerOptions, portsFolder: string): Promise<Started> {
  const program = await natsServerProgram(options);
  const port = `${options.port ?? -1}`; // -1: it picks a free one itself.
  const args = ["-a", "127.0.0.1", "-p", port, "--ports_file_dir", portsFolder];
  if (options.configFile !== undefined) args.push("-c", options.configFile);
  const [command, ...first] = endingWithUs(program);
  // A process group of its own: a Ctrl-C is for us, and nodes that are still stopping need their server.
  const child = spawn(command, [...first, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const words: string[] = [];
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    words.push(...text.trimEnd().split("\n"));
    words.splice(0, words.length - LAST_WORDS_MAX);
  });
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      resolve(signal === null ? `code ${code}` : `signal ${signal}`);
    });
  });
  if (child.pid === undefined) {
    throw new NatsServerFailedError(`${program} did not start: ${await exited}`);
  }
  return { child, pid: child.pid, exited, words };
}

/** It writes the file once it listens. */
function portFrom(portsFolder: string, pid: number): number | undefined {
  try {
    const text = readFileSync(join(portsFolder, `nats-server_${pid}.ports`), "utf8");
    const found = /"nats":\["[a-z]+:\/\/[^"]*:(\d+)"/.exec(text);
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/** A NATS server speaks first. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
    socket.once("data", (bytes) => done(bytes.toString("latin1").startsWith("INFO ")));
  });
}

async function readyPort(started: Started, portsFolder: string): Promise<number> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  let exit: string | undefined;
  void started.exited.then((how) => {
    exit = how;
  });
  while (exit === undefined && performance.now() < deadlineMs) {
    const port = portFrom(portsFolder, started.pid);
    if (port !== undefined && (await answers(port))) return port;
    await wait(ASK_EVERY_MS);
  }
  started.child.kill("SIGKILL");
  const how = exit === undefined ? `was not ready within ${READY_WITHIN_MS} ms` : `exited, ${exit}`;
  throw new NatsServerFailedError(`nats-server ${how}\n${started.words.join("\n")}`);
}

async function stop(started: Started): Promise<void> {
  started.child.kill("SIGTERM");
  const timer = setTimeout(() => started.child.kill("SIGKILL"), STOP_WITHIN_MS);
  await started.exited;
  clearTimeout(timer);
}

/** Resolves once it answers. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const portsFolder = mkdtempSync(join(tmpdir(), "zooid-nats-ports-"));
  try {
    const started = await start(options, portsFolder);
    const port = await readyPort(started, portsFolder);
    return {
      url: `nats://127.0.0.1:${port}`,
      port,
      pid: started.pid,
      exited: started.exited,
      stop: () => stop(started),
      kill: () => {
        started.child.kill("SIGKILL");
      },
    };
  } finally {
    rmSync(portsFolder, { recursive: true, force: true });
  }
}
