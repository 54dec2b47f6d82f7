/** Processes that are killed by `kill -9` at a call to the system that is named, and not whenever a test comes to it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";

const SOURCE = fileURLToPath(new URL("./kill_at.c", import.meta.url));

export type KillAt = {
  readonly call: "write" | "rename" | "link";
  /** A part of the path of the file. */
  readonly path: string;
  /** At which of these calls. Default: the first. */
  readonly nth?: number;
};

/** The library, which is compiled into the folder. Returns the environment of a process that is killed. */
export async function compileKillAt(
  folder: string,
): Promise<(at: KillAt) => Readonly<Record<string, string>>> {
  const library = join(folder, "kill_at.so");
  const compiler = new Child({
    command: "gcc",
    args: ["-std=gnu11", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", library, SOURCE],
  });
  await compiler.exited;
  if (compiler.process.exitCode !== 0) throw new Error(compiler.output());
  return ({ call, path, nth = 1 }) => ({
    LD_PRELOAD: library,
    KILL_CALL: call,
    KILL_PATH: path,
    KILL_NTH: String(nth),
  });
}
