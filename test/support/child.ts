/** A server process under test: its output is kept, lines can be waited for, and it is stopped by its pid. */
import { spawn, type ChildProcess } from "node:child_process";

export type ChildOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The time after which waiting for a line fails. Default 180_000: only a hang reaches it, also on a machine with much other work. */
  readonly waitMsMax?: number;
  /** Called with each line, as it is printed. */
  readonly onLine?: (line: string) => void;
};

type LineWaiter = {
  readonly matches: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
};

export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  /** Settles when the process has ended and its output is read. */
  readonly exited: Promise<void>;
  readonly #waiters = new Set<LineWaiter>();
  readonly #waitMsMax: number;
  readonly #onLine: ((line: string) => void) | undefined;
  #ended = false;

  constructor(options: ChildOptions) {
    this.#waitMsMax = options.waitMsMax ?? 180_000;
    this.#onLine = options.onLine;
    // A test run that is cut short leaves nothing behind: the kernel ends the process with the thread that started it.
    const args = ["--pdeathsig", "KILL", options.command, ...options.args];
    this.process = spawn("setpriv", args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => {
      const ended = (): void => {
        this.#ended = true;
        const error = new Error(`the process ended\n${this.output()}`);
        for (const waiter of this.#waiters) waiter.reject(error);
        resolve();
      };
      this.process.once("close", ended);
      this.process.once("error", (error) => {
        this.#take(String(error));
        ended();
      });
    });
    this.#follow(this.process.stdout);
    this.#follow(this.process.stderr);
    this.process.stdin?.on("error", () => undefined);
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`the process did not start\n${this.output()}`);
    return pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  output(): string {
    return this.lines.join("\n");
  }

  write(text: string): void {
    this.process.stdin?.write(text);
  }

  /** The first line, of those printed so far (but for the first `after`) or to come, that the pattern matches. */
  line(pattern: RegExp, after = 0): Promise<string> {
    const matches = (line: string): boolean => pattern.test(line);
    const seen = this.lines.slice(after).find(matches);
    if (seen !== undefined) return Promise.resolve(seen);
    if (this.#ended) {
      return Promise.reject(new Error(`ended without ${pattern}\n${this.output()}`));
    }
    return new Promise((resolve, reject) => {
      const waiter: LineWaiter = {
        matches,
        resolve: (line) => settle(() => resolve(line)),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => {
        waiter.reject(new Error(`no line like ${pattern}\n${this.output()}`));
      }, this.#waitMsMax);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        act();
      };
      this.#waiters.add(waiter);
    });
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#ended) this.process.kill(signal);
  }

  /** Asks the process to end; one that has not within ten seconds is killed, and that is an error. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.process.kill("SIGTERM");
    let forced = false;
    const timer = setTimeout(() => {
      forced = true;
      this.process.kill("SIGKILL");
    }, 10_000);
    await this.exited;
    clearTimeout(timer);
    if (forced) throw new Error(`had to be killed\n${this.output()}`);
  }

  #follow(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) this.#take(line);
    });
    stream?.on("end", () => {
      if (rest !== "") this.#take(rest);
    });
  }

  #take(line: string): void {
    this.lines.push(line);
    this.#onLine?.(line);
    for (const waiter of this.#waiters) if (waiter.matches(line)) waiter.resolve(line);
  }
}
