/** The process that reads a node's past, as the node sees it: begun when somebody asks, ended when nobody has for a while. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { HISTORY_IDLE_MS, HISTORY_MS_MAX, HISTORY_WAITING_MAX } from "../../protocol/limits.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { HistoryError } from "./errors.ts";
import type { PastReply, PastRequest } from "./process-messages.ts";
import type { Asked } from "./questions.ts";

export type PastProcessOptions = {
  readonly dataDir: string;
  /** Milliseconds for one question, its wait with it. Default HISTORY_MS_MAX. */
  readonly msMax?: number;
};

export class PastProcess {
  readonly #options: Required<PastProcessOptions>;
  #child: ChildProcess | undefined;
  /** Settles, and never rejects, when the question before is answered. */
  #before: Promise<unknown> = Promise.resolve();
  #unanswered = 0;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ dataDir, msMax = HISTORY_MS_MAX }: PastProcessOptions) {
    this.#options = { dataDir, msMax };
  }

  /** `committed`: what the node has applied. Rejects with a `HistoryError`. */
  async ask(asked: Asked, committed: Zxid): Promise<object> {
    if (this.#unanswered > HISTORY_WAITING_MAX) {
      throw new HistoryError("ZOOID_HISTORY_BUSY", "too many ask for the past at once: try later");
    }
    this.#unanswered += 1;
    clearTimeout(this.#idle);
    const over = AbortSignal.timeout(this.#options.msMax);
    const turn = this.#before.then(() => this.#askNow({ asked, committed }, over));
    this.#before = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered === 0) this.#beIdle();
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

  async #askNow(request: PastRequest, over: AbortSignal): Promise<object> {
    if (over.aborted) throw this.#tooSlow();
    if (this.#isClosed) throw failed("the node stops");
    const child = this.#running();
    const done = new AbortController();
    const signal = AbortSignal.any([over, done.signal]);
    try {
      const replied = once(child, "message", { signal });
      const exited = once(child, "exit", { signal }).then(() => undefined);
      // Whichever is not awaited is aborted below.
      exited.catch(() => undefined);
      replied.catch(() => undefined);
      child.send(request, () => undefined);
      const first = (await Promise.race([replied, exited])) as readonly [PastReply] | undefined;
      if (first === undefined) throw failed(`the process that reads it has ended${howOf(child)}`);
      const [reply] = first;
      if (reply.kind === "answer") return reply.body;
      throw new HistoryError(reply.code, reply.message);
    } catch (error) {
      if (over.aborted) {
        await this.#end();
        throw this.#tooSlow();
      }
      throw error;
    } finally {
      done.abort();
    }
  }

  #running(): ChildProcess {
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null && child.connected) return child;
    const begun = fork(entry(), [this.#options.dataDir], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    // It ends then, which is what is looked at.
    begun.on("error", () => undefined);
    this.#child = begun;
    return begun;
  }

  #tooSlow(): HistoryError {
    return new HistoryError(
      "ZOOID_HISTORY_SLOW",
      `there was no answer within ${this.#options.msMax} ms: ask for zxids that are closer together, or ask the data folder itself (zooid history --data-dir)`,
    );
  }
}

function failed(why: string): HistoryError {
  return new HistoryError("ZOOID_HISTORY_FAILED", `the past cannot be read: ${why}`);
}

function howOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? ` with code ${exitCode}` : ` by ${signalCode}`;
}

/** It has this file's extension: `.ts` in a checkout, `.js` when built. */
function entry(): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`main.${extension}`, import.meta.url);
}
