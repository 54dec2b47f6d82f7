/**
 * The lines of an export: a header, then a line for each znode, those above before those below. Values are text where that keeps every
 * byte, otherwise base64.
 */
import type { Acl } from "../../client/connect.ts";
import { TTL_MS_MAX, ttlOf } from "../../protocol/lifetime.ts";
import { childOf, pathProblem } from "../../protocol/paths.ts";
import { aclOf, entryText } from "./acl-text.ts";
import { MisusedError } from "./exit-codes.ts";
import { valueJson } from "./value.ts";

/** Those who read it refuse later ones: they would lose what they do not know. */
const FORMAT = 2;
/** In the first one all znodes but ephemeral ones are plain. */
const FORMATS_READ: readonly unknown[] = [1, FORMAT];

export type ExportedZnode = {
  readonly path: string;
  readonly data: Uint8Array | null;
  /** Undefined: the export is without them. */
  readonly acl: readonly Acl[] | undefined;
  readonly ephemeral: boolean;
  readonly container: boolean;
  /** Undefined: it has no time to live. */
  readonly ttlMs: number | undefined;
};

export function headerJson(root: string): object {
  return { zooidExport: FORMAT, root };
}

export function znodeJson(znode: ExportedZnode): object {
  const { path, data, acl, ephemeral, container, ttlMs } = znode;
  return {
    path,
    ...valueJson(data),
    ...(acl === undefined ? {} : { acl: acl.map(entryText) }),
    ...(ephemeral ? { ephemeral: true } : {}),
    ...(container ? { container: true } : {}),
    ...(ttlMs === undefined ? {} : { ttlMs }),
  };
}

/** Returns the root of the export. Throws a MisusedError. */
export function rootOf(line: string): string {
  const header = objectOf(line, 1);
  const { zooidExport: format, root } = header;
  if (typeof format === "number" && format > FORMAT) {
    throw new MisusedError(
      `line 1 is of format ${format}, and this zooid knows formats up to ${FORMAT}`,
    );
  }
  if (
    !FORMATS_READ.includes(format) ||
    typeof root !== "string" ||
    pathProblem(root) !== undefined
  ) {
    throw new MisusedError(
      `line 1 is not the beginning of an export: {"zooidExport":${FORMAT},"root":"/…"}`,
    );
  }
  return root;
}

/** Throws a MisusedError that names the line. */
export function znodeOf(line: string, number: number, root: string): ExportedZnode {
  const { path, data, encoding, acl, ephemeral, container, ttlMs } = objectOf(line, number);
  const bad = (problem: string): MisusedError => new MisusedError(`line ${number}: ${problem}`);
  if (typeof path !== "string") throw bad("it has no path");
  const problem = pathProblem(path);
  if (problem !== undefined) throw bad(`${JSON.stringify(path)}: ${problem}`);
  if (path !== root && !path.startsWith(childOf(root, "")))
    throw bad(`${path} is not below ${root}`);
  if (data !== null && typeof data !== "string") throw bad("its data is neither text nor null");
  if (encoding !== "utf8" && encoding !== "base64") throw bad("its encoding is utf8 or base64");
  const ends = [ephemeral === true, container === true, ttlMs !== undefined];
  if (ends.filter(Boolean).length > 1)
    throw bad("it is ephemeral, a container or has a ttlMs, one of them");
  if (ttlMs !== undefined && (typeof ttlMs !== "number" || ttlOf(ttlMs) === undefined)) {
    throw bad(`its ttlMs is a whole number from 1 to ${TTL_MS_MAX}`);
  }
  return {
    ...{ path, ephemeral: ephemeral === true, container: container === true, ttlMs },
    data: data === null ? null : Uint8Array.from(Buffer.from(data, encoding)),
    acl: acl === undefined ? undefined : aclOfLine(acl, bad),
  };
}

/** Where a znode of the export comes to stand. */
export function movedPath(path: string, from: string, to: string): string {
  if (path === from) return to;
  const below = path.slice(from === "/" ? 1 : from.length + 1);
  return childOf(to, below);
}

function objectOf(line: string, number: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // What is no JSON is no object either.
  }
  if (typeof value !== "object" || value === null) {
    throw new MisusedError(`line ${number} is no JSON object`);
  }
  return value as Record<string, unknown>;
}

function aclOfLine(acl: unknown, bad: (problem: string) => MisusedError): readonly Acl[] {
  if (!Array.isArray(acl) || !acl.every((entry) => typeof entry === "string")) {
    throw bad("its access control list is no list of texts");
  }
  try {
    return aclOf(acl);
  } catch (error) {
    throw error instanceof MisusedError ? bad(error.message) : error;
  }
}
