/** What commands that read a backup have in common: its size, for the progress, and what to say if it cannot be read. */
import { statSync } from "node:fs";
import { EXIT_FAILED, EXIT_MISUSED } from "../../command.ts";
import { codeOf } from "../file/error-codes.ts";

/** The bytes of the file; 0 if it has no size, as standard input. */
export function sizeOfFile(path: string): number {
  return path === "-" ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}

/** What to say of an error of the system that kept the file from being read; undefined if it is another one. */
export function unreadableProblem(
  path: string,
  error: unknown,
): { readonly message: string; readonly exitCode: number } | undefined {
  const code = codeOf(error);
  if (code === undefined || !("syscall" in (error as object))) return undefined;
  if (code === "ENOENT") return { message: `there is no file ${path}`, exitCode: EXIT_MISUSED };
  if (code === "EISDIR") return { message: `${path} is a folder`, exitCode: EXIT_MISUSED };
  return { message: `${path} cannot be read: ${String(error)}`, exitCode: EXIT_FAILED };
}
