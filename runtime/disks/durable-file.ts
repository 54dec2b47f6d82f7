/** Small files that are written as a whole: a crash leaves what was there before, or what was written, and nothing between. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const SECRET_MODE = 0o600;

/**
 * Puts a file with this text in the place of what is at the path, if anything is, and returns when that is durable. Nobody but the owner may
 * read it, unless `prepare` gives others the draft before it takes its place. Throws the system's error: then all is as before, unless it is the
 * folder that cannot be synced, where the new file is there and may not outlast a crash.
 */
export function replaceDurably(
  path: string,
  text: string,
  prepare: (draft: string) => void = () => undefined,
): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  try {
    // What somebody else has put there meanwhile is not written through.
    writeFileSync(draft, text, { mode: SECRET_MODE, flag: "wx" });
    syncPath(draft);
    // Others may be given a mode by which the owner may not read it.
    prepare(draft);
    renameSync(draft, path);
  } finally {
    // A draft of a secret is a secret.
    rmSync(draft, { force: true });
  }
  syncPath(dirname(path));
}

/** What is in the file is durable when it returns, or which files are in the folder. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
