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
/** A server that has not stopped after this time is killed. */
const STOP_WITHIN_MS = 5_000;
const LAST_LINES_MAX = 20;

/** nats-server was found but did not serve. The message contains the last lines it logged. */
export class NatsServerFailedError extends ZooidError {
  override readonly name = "NatsServerFailedError";
  readonly code = "ZOOID_NATS_SERVER_FAILED";
  readonly retryable = true;
}

export type NatsServerOptions = NatsServerPlaces & {
  /** Default: a free port. */
  readonly port?: number;
  /** A configuration file for the server. The address and the port in it are overridden. */
  readonly configFile?: string;
  /** How many processors the server may use at once. Default: all, or what `GOMAXPROCS` of the environment says. */
  readonly processors?: number | undefined;
};

export type NatsServer = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has exited, with the reason: `signal SIGKILL`, `code 1`. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): void;
};

type Started = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<string>;
  /** The last lines that the server logged. */
  readonly lastLines: readonly string[];
};

/** A program of Debian's util-linux, which every Debian system has. */
const SETPRIV = "/usr/bin/setpriv";

/**
 * Returns the command that starts the program so that the kernel ends it when this process ends, for whatever reason, where the
 * kernel can.
 */
function endingWithUs(program: string): readonly [string, ...string[]] {
  if (!existsSync(SETPRIV)) return [program];
  return [SETPRIV, "--pdeathsig", "SIGTERM", program];
}

async function start(options: NatsServerOptions, portsFolder: string): Promise<Started> {
  const program = await natsServerProgram(options);
  const port = `${options.port ?? -1}`; // With -1 the server picks a free port itself.
  const args = ["-a", "127.0.0.1", "-p", port, "--ports_file_dir", portsFolder];
  if (options.configFile !== undefined) args.push("-c", options.configFile);
  const [command, ...first] = endingWithUs(program);
  // The server gets a process group of its own, so that Ctrl-C does not end it: nodes that are stopping still need it.
  const { processors } = options;
  const limit = processors === undefined ? {} : { GOMAXPROCS: `${processors}` };
  const child = spawn(command, [...first, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    env: { ...limit, ...process.env },
  });
  const lastLines: string[] = [];
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    lastLines.push(...text.trimEnd().split("\n"));
    lastLines.splice(0, lastLines.length - LAST_LINES_MAX);
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
  return { child, pid: child.pid, exited, lastLines };
}

/** Reads the port from the file that the server writes when it listens; undefined before that. */
function portFrom(portsFolder: string, pid: number): number | undefined {
  try {
    const text = readFileSync(join(portsFolder, `nats-server_${pid}.ports`), "utf8");
    const found = /"nats":\["[a-z]+:\/\/[^"]*:(\d+)"/.exec(text);
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/** Whether a NATS server answers on the port. The server sends the first message of a connection. */
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
  throw new NatsServerFailedError(`nats-server ${how}\n${started.lastLines.join("\n")}`);
}

async function stop(started: Started): Promise<void> {
  started.child.kill("SIGTERM");
  const timer = setTimeout(() => started.child.kill("SIGKILL"), STOP_WITHIN_MS);
  await started.exited;
  clearTimeout(timer);
}

/** Starts a nats-server. Resolves when it answers; rejects with a `NatsServerFailedError` or a `NatsServerMissingError`. */
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
