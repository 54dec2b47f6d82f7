/** Runs commands of `zooid` as an operator does: each is a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BenchError } from "../../failure.ts";

const CLI: string = fileURLToPath(new URL("../../../cli/zooid.ts", import.meta.url));
const OUTPUT_CHARACTERS_MAX = 4000;

export type Tool = {
  /** The lines that it has printed so far. */
  readonly lines: () => number;
  /** Resolves when it has ended: with nothing if that was in order, otherwise with what it said. */
  readonly ended: Promise<string | undefined>;
  /** Ends it, if it has not ended. Resolves when it is gone. */
  readonly stop: () => Promise<void>;
};

export function startTool(args: readonly string[]): Tool {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let lines = 0;
  let said = "";
  let isStopped = false;
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    lines += text.split("\n").length - 1;
  });
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    said = (said + text).slice(-OUTPUT_CHARACTERS_MAX);
  });
  const ended = endOf(child).then((how) => {
    if (how === "exit 0" || isStopped) return undefined;
    return `zooid ${args[0]} ended (${how}): ${said.trim()}`;
  });
  return {
    lines: () => lines,
    ended,
    stop: async () => {
      isStopped = true;
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  const [code, signal]: unknown[] = await once(child, "close");
  return typeof signal === "string" ? signal : `exit ${String(code)}`;
}

/** Runs one to its end. Throws a `BenchError` with what it said if it fails. */
export async function runTool(args: readonly string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const tool = startTool(args);
  const abort = (): void => void tool.stop();
  signal.addEventListener("abort", abort);
  try {
    const problem = await tool.ended;
    signal.throwIfAborted();
    if (problem !== undefined) throw new BenchError(problem);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
