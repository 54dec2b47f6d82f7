/** The lines that a user has typed, in a file that only this user may read. Lines with passwords are not kept. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Io } from "../context.ts";

const LINES_MAX = 1000;
const SECRET = /^\s*addauth\b|--(?:auth|sasl)\b|:\/\/[^/\s]*@/;

/** From ZOOID_HISTORY, where an empty text means none. */
export function historyFileOf(env: Io["env"]): string | undefined {
  const given = env["ZOOID_HISTORY"];
  if (given !== undefined) return given === "" ? undefined : given;
  return join(env["HOME"] ?? homedir(), ".zooid_history");
}

export function isSecret(line: string): boolean {
  return SECRET.test(line);
}

/** The newest line first, as readline wants them. A file that is not there, or cannot be read, is none. */
export function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
  const kept = lines.slice(-LINES_MAX);
  if (lines.length > 2 * LINES_MAX)
    ignoringFailure(() => writeFileSync(file, `${kept.join("\n")}\n`));
  return kept.reverse();
}

/** Appends, so that several shells at once lose nothing of each other. */
export function keepLine(file: string | undefined, line: string): void {
  if (file === undefined || line.trim() === "" || isSecret(line)) return;
  ignoringFailure(() => appendFileSync(file, `${line}\n`, { mode: 0o600 }));
}

/** A shell without a history is still a shell. */
function ignoringFailure(write: () => void): void {
  try {
    write();
  } catch {
    // Perhaps a home folder that is read-only.
  }
}
