/** The files in a folder of certificates: `NAME.key`, `NAME.crt`, and both in one as `NAME.pem`, which is a key store of type PEM. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { replaceDurably } from "../../runtime/disks/durable-file.ts";
import type { KeyAndCertificate } from "./certificate.ts";
import { AUTHORITY } from "./plan.ts";

const SECRET_MODE = 0o600;
const FOLDER_MODE = 0o700;
const MODE_BITS = 0o777;

/** What there is to write under a name. */
export type Made = KeyAndCertificate & { readonly name: string };

type File = { readonly path: string; readonly text: string };

/** The names of the certificates in a folder, the authority's aside. */
export function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .flatMap((file) => (file.endsWith(".crt") ? [file.slice(0, -".crt".length)] : []))
    .filter((name) => name !== AUTHORITY)
    .toSorted();
}

export function readCertificate(folder: string, name: string): string {
  return readFileSync(join(folder, `${name}.crt`), "utf8");
}

export function readAuthority(folder: string): KeyAndCertificate {
  const key = readFileSync(join(folder, `${AUTHORITY}.key`), "utf8");
  return { key, certificate: readCertificate(folder, AUTHORITY) };
}

/** Which of these names have files already. */
export function takenOf(folder: string, names: readonly string[]): readonly string[] {
  const there = new Set(readIfThere(folder));
  return names
    .flatMap((name) => [`${name}.key`, `${name}.crt`, `${name}.pem`])
    .filter((file) => there.has(file));
}

function readIfThere(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Writes files that are not there, and the folder. Throws when one is there or cannot be written, and has then left none. */
export function writeNew(folder: string, all: readonly Made[]): void {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const written: string[] = [];
  try {
    for (const { path, text } of all.flatMap((made) => filesOf(folder, made))) {
      writeFileSync(path, "", { mode: SECRET_MODE, flag: "wx" });
      written.push(path);
      writeFileSync(path, text, { flush: true });
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Puts others in the place of files, whole, one after the other; whoever looks at a key and a certificate of their own sees for a moment two that
 * do not fit, which nodes do not take. They keep the owner and the mode.
 */
export function replace(folder: string, made: Made): void {
  for (const { path, text } of filesOf(folder, made)) {
    const before = statSync(path, { throwIfNoEntry: false });
    replaceDurably(path, text, (draft) => {
      if (before === undefined) return;
      const own = statSync(draft);
      if (own.uid !== before.uid || own.gid !== before.gid)
        chownSync(draft, before.uid, before.gid);
      chmodSync(draft, before.mode & MODE_BITS);
    });
  }
}

function filesOf(folder: string, { name, key, certificate }: Made): readonly File[] {
  const file = (extension: string, text: string): File => ({
    path: join(folder, `${name}.${extension}`),
    text,
  });
  const both = [file("key", key), file("crt", certificate)];
  return name === AUTHORITY ? both : [...both, file("pem", key + certificate)];
}
