/** One server process whose output goes to a file. It is signalled by its process id only, and ends with this process. */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";

export type ServerProcessOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Appended to. */
  readonly logFile: string;
  /** Called when it ends and nobody asked for that. */
  readonly onDeath: (how: string) => void;
};

/** A server that was asked to end and has not within this time is killed, which is an error. */
const STOP_MS_MAX = 20_000;

/** How a process ended: its exit code, or the signal that ended it. */
export type ProcessEnd = number | string;

export class ServerProcess {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  /** Where its output begins in the file, which holds that of earlier processes too. */
  readonly #logFrom: number;
  #asked = false;
  #mayEnd = false;
  #end: ProcessEnd | undefined;

  constructor(options: ServerProcessOptions) {
    const { command, args, cwd, logFile, onDeath } = options;
    this.#logFile = logFile;
    const log = openSync(logFile, "a");
    this.#logFrom = statSync(logFile).size;
    // The kernel ends the server when this process is gone, however it went.
    const guarded = ["--pdeathsig", "KILL", command, ...args];
    // In a group of its own, Ctrl-C at the terminal reaches this process only, which then stops the servers in order.
    const stdio: StdioOptions = ["ignore", log, log];
    this.#child = spawn("setpriv", guarded, { cwd, stdio, detached: true });
    closeSync(log);
    this.exited = new Promise((resolve) => {
      const ended = (how: ProcessEnd): void => {
        if (this.ended) return;
        this.#end = how;
        if (!this.#asked && !this.#mayEnd) onDeath(shownEnd(how));
        resolve();
      };
      this.#child.once("exit", (code, signal) => ended(signal ?? code ?? "no exit code"));
      this.#child.once("error", (error) => ended(String(error)));
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the process did not start");
    return pid;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** Whether its end by itself is what is waited for from now on, and no death. */
  expectEnd(isExpected: boolean): void {
    this.#mayEnd = isExpected;
  }

  /** SIGSTOP or SIGCONT. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    if (!this.ended) this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#asked = true;
    if (!this.ended) this.#child.kill("SIGKILL");
    await this.exited;
  }

  async stop(): Promise<void> {
    this.#asked = true;
    if (this.ended) return;
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGTERM");
    let forced = false;
    const timer = setTimeout(() => {
      forced = true;
      this.#child.kill("SIGKILL");
    }, STOP_MS_MAX);
    await this.exited;
    clearTimeout(timer);
    if (forced) throw new Error(`had to be killed\n${this.lastLines(20)}`);
  }

  lastLines(count: number): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-count).join("\n");
  }

  /** All that this process has said. */
  output(): string {
    return readFileSync(this.#logFile).subarray(this.#logFrom).toString("utf8");
  }
}

export function shownEnd(end: ProcessEnd): string {
  return typeof end === "number" ? `exit code ${end}` : end;
}
