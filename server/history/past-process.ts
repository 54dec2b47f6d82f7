/** The process that reads a node's past, as the node sees it: begun when somebody asks, ended when nobody has for a while. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import {
  HISTORY_IDLE_MS,
  HISTORY_WAIT_MS_MAX,
  HISTORY_WAITING_MAX,
  HISTORY_WORK_MS_MAX,
} from "./limits.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { machine } from "../memory-limits.ts";
import { HistoryError } from "./errors.ts";
import { EXIT_NO_MEMORY, type PastReply, type PastRequest } from "./process-messages.ts";
import type { Asked } from "./questions.ts";

export type PastProcessOptions = {
  readonly dataDir: string;
  /** Milliseconds for which whoever asks waits. Default HISTORY_WAIT_MS_MAX. */
  readonly waitMsMax?: number;
  /** Milliseconds for one question, without its wait. Default HISTORY_WORK_MS_MAX. */
  readonly workMsMax?: number;
  /** How large the process may become. Default: 30 % of the memory of the machine, or of what the control group allows. */
  readonly memoryBytesMax?: number;
};

const MEMORY_SHARE = 0.3;
const BYTES_OF_MB: number = 1024 * 1024;

export class PastProcess {
  readonly #options: Required<PastProcessOptions>;
  #child: ChildProcess | undefined;
  /** Settles, and never rejects, when the question before is answered. */
  #before: Promise<unknown> = Promise.resolve();
  #unanswered = 0;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({
    dataDir,
    waitMsMax = HISTORY_WAIT_MS_MAX,
    workMsMax = HISTORY_WORK_MS_MAX,
    memoryBytesMax = Math.floor(machine().memoryBytes * MEMORY_SHARE),
  }: PastProcessOptions) {
    this.#options = { dataDir, waitMsMax, workMsMax, memoryBytesMax };
  }

  /** `committed`: what the node has applied. Rejects with a `HistoryError`. */
  async ask(asked: Asked, committed: Zxid): Promise<object> {
    if (this.#unanswered > HISTORY_WAITING_MAX) {
      throw new HistoryError("ZOOID_HISTORY_BUSY", "too many ask for the past at once: try later");
    }
    this.#unanswered += 1;
    clearTimeout(this.#idle);
    const late = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.reject(this.#tooSlow());
    }, this.#options.waitMsMax);
    const turn = this.#before.then(async () => {
      // Nobody waits for what has not been begun in time.
      if (isLate) return {};
      return await this.#work({ asked, committed });
    });
    this.#before = turn
      .catch(() => undefined)
      .then(() => {
        this.#unanswered -= 1;
        if (this.#unanswered === 0) this.#beIdle();
      });
    try {
      return await Promise.race([turn, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Never rejects. Nothing is answered any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    await this.#end();
  }

  #beIdle(): void {
    this.#idle = setTimeout(() => void this.#end(), HISTORY_IDLE_MS);
    this.#idle.unref();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async #work(request: PastRequest): Promise<object> {
    if (this.#isClosed) throw failed("the node stops");
    const child = this.#running();
    const done = new AbortController();
    const { signal } = done;
    const timer = setTimeout(() => child.kill("SIGKILL"), this.#options.workMsMax);
    try {
      const replied = once(child, "message", { signal });
      const exited = once(child, "exit", { signal }).then(() => undefined);
      // Whichever is not awaited is aborted below.
      exited.catch(() => undefined);
      replied.catch(() => undefined);
      child.send(request, () => undefined);
      const first = (await Promise.race([replied, exited])) as readonly [PastReply] | undefined;
      if (first === undefined) throw failed(this.#whyEnded(child));
      const [reply] = first;
      if (reply.kind === "answer") return reply.body;
      throw new HistoryError(reply.code, reply.message);
    } catch (error) {
      throw error instanceof HistoryError ? error : failed(String(error));
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  #running(): ChildProcess {
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null && child.connected) return child;
    this.#child = begin(this.#options);
    return this.#child;
  }

  #whyEnded({ exitCode, signalCode }: ChildProcess): string {
    if (exitCode === EXIT_NO_MEMORY) {
      const mb = Math.floor(this.#options.memoryBytesMax / BYTES_OF_MB);
      return `the tree of then needs more than ${mb} MB, which is what a process beside the node may take here; ask a copy of the data folder where there is more memory (zooid history --data-dir)`;
    }
    const how = signalCode === null ? `with code ${exitCode}` : `by ${signalCode}`;
    return `the process that reads it has ended ${how}`;
  }

  #tooSlow(): HistoryError {
    return new HistoryError(
      "ZOOID_HISTORY_SLOW",
      `there was no answer within ${this.#options.waitMsMax} ms: ask again, for what was begun goes on, or ask for zxids that are closer together, or ask the data folder itself (zooid history --data-dir)`,
    );
  }
}

function begin({ dataDir, memoryBytesMax }: Required<PastProcessOptions>): ChildProcess {
  try {
    const child = fork(entry(), [dataDir, String(memoryBytesMax)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    // It ends then, which is what is looked at.
    child.on("error", () => undefined);
    return child;
  } catch (error) {
    // Some of what the system refuses is thrown at once, such as ENOMEM.
    throw failed(String(error));
  }
}

function failed(why: string): HistoryError {
  return new HistoryError("ZOOID_HISTORY_FAILED", `the past cannot be read: ${why}`);
}

/** It has this file's extension: `.ts` in a checkout, `.js` when built. */
function entry(): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`main.${extension}`, import.meta.url);
}
