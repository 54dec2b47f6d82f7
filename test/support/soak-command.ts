/** The soak command, run by a test in a folder of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { Child } from "./child.ts";

export const SOAK: string = fileURLToPath(new URL("../soak/main.ts", import.meta.url));

export type Run = { readonly child: Child; readonly folder: string };

/** With a folder for temporary files of its own, which shows what it leaves behind. */
export async function runSoak(t: ExecutionContext, ...args: readonly string[]): Promise<Run> {
  return runNode(t, [SOAK, ...args]);
}

export async function runNode(t: ExecutionContext, args: readonly string[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-soak-test-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const child = new Child({
    command: process.execPath,
    args,
    cwd: folder,
    env: { TMPDIR: folder },
  });
  t.teardown(() => child.stop());
  return { child, folder };
}
