/** Counts the system calls of processes with strace, where it is installed and permitted. It makes the processes several times slower. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const ATTACH_MS = 1000;

export type SystemCalls = ReadonlyMap<string, number>;

export function hasStrace(): boolean {
  return spawnSync("strace", ["--version"]).status === 0;
}

/** Counts while `work` runs. The result has the calls of each process; undefined if strace may not attach to it. */
export async function systemCallsDuring(
  pids: readonly number[],
  work: () => Promise<void>,
): Promise<readonly (SystemCalls | undefined)[]> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-bench-strace-"));
  const fileOf = (pid: number): string => join(folder, String(pid));
  const children: ChildProcess[] = pids.map((pid) =>
    spawn("strace", ["-c", "-f", "-U", "calls,name", "-o", fileOf(pid), "-p", String(pid)], {
      stdio: "ignore",
    }),
  );
  try {
    await delay(ATTACH_MS);
    await work();
  } finally {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGINT");
        await once(child, "exit");
      }),
    );
  }
  const texts = await Promise.all(pids.map((pid) => readFile(fileOf(pid), "utf8").catch(() => "")));
  await rm(folder, { recursive: true, force: true });
  return texts.map((text) => (text === "" ? undefined : parseCounts(text)));
}

/** Reads the table that `strace -c -U calls,name` writes. */
export function parseCounts(text: string): SystemCalls {
  const calls = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, count, name] = /^\s*(\d+)\s+(\w+)\s*$/.exec(line) ?? [];
    if (name !== undefined && name !== "total") calls.set(name, Number(count));
  }
  return calls;
}
