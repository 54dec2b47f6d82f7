/** The packages that come with zooid: what `npm install zooid` brings along, on any machine, from the lock file; and their licences. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../support/zooid-command.ts";

type Entry = {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly optional?: boolean;
};
export type Lock = { readonly packages: Readonly<Record<string, Entry>> };

/** Licences under which zooid may bring packages along. Whoever adds one has read it. */
export const LICENCES: ReadonlySet<string> = new Set([
  "Apache-2.0",
  "MIT",
  "0BSD",
  "BSD-3-Clause",
  "Unlicense",
]);

/** What the bundle of the dashboard holds: it is shipped as part of that, and installed for development alone. */
export const BUNDLED: ReadonlySet<string> = new Set([
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "diff",
  "cbor2",
  "@cto.af/wtf8",
]);

export type Component = {
  /** In the lock file, from the project's root. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** An identifier of SPDX; undefined where the package names none. */
  readonly licence: string | undefined;
  /** It is for some kinds of machine only, or may be left out. */
  readonly isOptional: boolean;
  /** It is in the bundle of the dashboard. */
  readonly isBundled: boolean;
  /** Undefined where it is not installed here, or has no such file. */
  readonly licenceText: string | undefined;
};

const MODULES = "node_modules/";

export function readLock(): Lock {
  return JSON.parse(readFileSync(join(CHECKOUT, "package-lock.json"), "utf8")) as Lock;
}

export function isBundled(path: string): boolean {
  return path.startsWith(MODULES) && BUNDLED.has(path.slice(MODULES.length));
}

/** An entry that only development, or a package that its user brings, has need of says so. */
export function isShipped(path: string, { dev, peer }: Entry): boolean {
  return path !== "" && ((dev !== true && peer !== true) || isBundled(path));
}

export function components(lock: Lock = readLock()): readonly Component[] {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => isShipped(path, entry))
    .map(([path, { version = "", license, optional = false, devOptional = false }]) => ({
      ...{ path, version, licence: license, isOptional: optional || devOptional },
      isBundled: isBundled(path),
      name: path.slice(path.lastIndexOf(MODULES) + MODULES.length),
      licenceText: licenceTextOf(join(CHECKOUT, path)),
    }))
    .toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function licenceTextOf(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying|unlicense)/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), "utf8").trim();
}
