/**
 * The lines of an export: a header, then a line for each znode, those above before those below. Values are text where that keeps every
 * byte, otherwise base64.
 */
import type { Acl } from "../../client/connect.ts";
import { childOf, pathProblem } from "../../protocol/paths.ts";
import { aclOf, entryText } from "./acl-text.ts";
import { MisusedError } from "./exit-codes.ts";
import { valueJson } from "./value.ts";

const FORMAT = 1;

export type ExportedZnode = {
  readonly path: string;
  readonly data: Uint8Array | null;
  /** Undefined: the export is without them. */
  readonly acl: readonly Acl[] | undefined;
  readonly ephemeral: boolean;
};

export function headerJson(root: string): object {
  return { zooidExport: FORMAT, root };
}

export function znodeJson({ path, data, acl, ephemeral }: ExportedZnode): object {
  return {
    path,
    ...valueJson(data),
    ...(acl === undefined ? {} : { acl: acl.map(entryText) }),
    ...(ephemeral ? { ephemeral: true } : {}),
  };
}

/** Returns the root of the export. Throws a MisusedError. */
export function rootOf(line: string): string {
  const header = objectOf(line, 1);
  const { zooidExport: format, root } = header;
  if (format !== FORMAT || typeof root !== "string" || pathProblem(root) !== undefined) {
    throw new MisusedError(
      `line 1 is not the beginning of an export: {"zooidExport":${FORMAT},"root":"/…"}`,
    );
  }
  return root;
}

/** Throws a MisusedError that names the line. */
export function znodeOf(line: string, number: number, root: string): ExportedZnode {
  const { path, data, encoding, acl, ephemeral } = objectOf(line, number);
  const bad = (problem: string): MisusedError => new MisusedError(`line ${number}: ${problem}`);
  if (typeof path !== "string") throw bad("it has no path");
  const problem = pathProblem(path);
  if (problem !== undefined) throw bad(`${JSON.stringify(path)}: ${problem}`);
  if (path !== root && !path.startsWith(childOf(root, "")))
    throw bad(`${path} is not below ${root}`);
  if (data !== null && typeof data !== "string") throw bad("its data is neither text nor null");
  if (encoding !== "utf8" && encoding !== "base64") throw bad("its encoding is utf8 or base64");
  return {
    ...{ path, ephemeral: ephemeral === true },
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
