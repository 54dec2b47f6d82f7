/** Another commit of this repository in a temporary worktree, with dependencies of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BenchError } from "../failure.ts";
import type { Screen } from "../screen.ts";

const HERE: string = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

/** Returns the folder. The stack removes it. */
export async function checkOut(
  commit: string,
  {
    stack,
    screen,
    signal,
  }: {
    readonly stack: AsyncDisposableStack;
    readonly screen: Screen;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "zooid-bench-checkout-"));
  const folder = join(parent, "zooid");
  stack.defer(async () => {
    await run("git", ["-C", HERE, "worktree", "remove", "--force", folder]).catch(() => undefined);
    await rm(parent, { recursive: true, force: true });
  });
  try {
    screen.status(`checking out ${commit} ...`);
    await run("git", ["-C", HERE, "worktree", "add", "--detach", folder, commit], { signal });
    screen.status(`npm ci of ${commit} ...`);
    await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new BenchError(`--against ${commit}: ${String(error)}`, { cause: error });
  }
  return folder;
}
