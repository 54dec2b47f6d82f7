/** A C program of the tests, compiled with each of the two libraries that ZooKeeper's C client is. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";

/** The threaded library has its headers and its linker's name from Debian; the other comes without. */
const KINDS = {
  "multi-threaded": ["-DTHREADED", "-l:libzookeeper_mt.so.2"],
  "single-threaded": ["-l:libzookeeper_st.so.2"],
} as const;

export type Kind = keyof typeof KINDS;

export type CPrograms = {
  /** The program with the library of that kind, begun. */
  readonly start: (kind: Kind, args: readonly string[]) => Child;
  readonly remove: () => Promise<void>;
};

export async function compileC(source: string): Promise<CPrograms> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-c-"));
  try {
    for (const [kind, options] of Object.entries(KINDS)) {
      await compile(["-o", join(folder, kind), source, ...options]);
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    start: (kind, args) => new Child({ command: join(folder, kind), args, waitMsMax: 300_000 }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compile(args: readonly string[]): Promise<void> {
  const compiler = new Child({
    command: "gcc",
    args: ["-std=gnu11", "-Wall", "-Wextra", "-Werror", ...args],
  });
  await compiler.exited;
  if (compiler.process.exitCode !== 0) throw new Error(compiler.output());
}
