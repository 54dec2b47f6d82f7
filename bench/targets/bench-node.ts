/** A single zooid node, as a process. Its data folder outlives it, so that it can be started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fourLetterWord, stderrOf, stopProcesses } from "./target.ts";
import { BenchError } from "../failure.ts";
import type { Address } from "../load/plan.ts";

const NODE_LINE = /^node \d+\s+pid \d+\s+(\S+):(\d+)/;
/** Small enough that steady writes make the node cut a snapshot within a minute or two. */
const SNAPSHOT_EVERY_BYTES: number = 32 * 1024 * 1024;

export class BenchNode {
  readonly address: Address;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #errors: () => string;

  private constructor(address: Address, child: ChildProcess, folder: string, errors: () => string) {
    this.address = address;
    this.#child = child;
    this.#folder = folder;
    this.#errors = errors;
  }

  /** Resolves when the node listens. It may still be applying its log then. */
  static async start(folder: string, signal: AbortSignal): Promise<BenchNode> {
    signal.throwIfAborted();
    const cli = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));
    const flags = ["--id=1", "--client-port=0", "--client-port-address=127.0.0.1"];
    flags.push(`--data-dir=${folder}`, `--snapshot-every-bytes=${SNAPSHOT_EVERY_BYTES}`);
    const child = spawn(process.execPath, [cli, "serve", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const errors = stderrOf(child);
    const { promise, resolve, reject } = Promise.withResolvers<Address>();
    child.on("error", reject);
    child.on("close", (code) =>
      reject(new BenchError(`the node ended (exit ${code})\n${errors()}`)),
    );
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const [, host, port] = line.match(NODE_LINE) ?? [];
        if (host !== undefined) resolve({ host, port: Number(port) });
      });
    }
    return new BenchNode(await promise, child, folder, errors);
  }

  /** Whether the node is writing a snapshot: then its temporary file exists. */
  async cutsSnapshot(): Promise<boolean> {
    const files = await readdir(this.#folder);
    return files.some(
      (file) => file.startsWith("snapshot") && !/^snapshot\.[0-9a-f]{16}$/.test(file),
    );
  }

  /** Resolves when the node serves a tree of at least this many znodes. */
  async serves(znodes: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#child.exitCode !== null) throw new BenchError(`the node ended\n${this.#errors()}`);
      const answer = (await fourLetterWord(this.address, "srvr")) ?? "";
      const nodes = Number(/Node count: (\d+)/.exec(answer)?.[1] ?? 0);
      if (/Mode: standalone/.test(answer) && nodes >= znodes) return;
      await sleep(20);
    }
  }

  /** Kills the process with SIGKILL. */
  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await stopProcesses([this.#child], () => []);
  }
}
