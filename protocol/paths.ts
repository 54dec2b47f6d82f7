/** Znode paths. Source: ZooKeeper's PathUtils.validatePath. */
import { PATH_COMPONENTS_MAX, PATH_LENGTH_MAX } from "./limits.ts";

// eslint: the ranges are PathUtils' own, in UTF-16 units.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Why the path is not valid, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path.length === 0) return "a path is not empty";
  if (path.charCodeAt(0) !== 0x2f) return "a path starts with /";
  if (path.length === 1) return undefined;
  if (path.charCodeAt(path.length - 1) === 0x2f) return "a path does not end with /";
  if (path.includes("//")) return "a path has no empty name";
  if (path.includes("/.") && /\/\.\.?(?:\/|$)/.test(path)) return "a path has no relative name";
  if (FORBIDDEN.test(path)) return "a path has a character that is not allowed";
  return undefined;
}

/** Why the path is larger than any that a node may have, or undefined. */
export function pathSizeProblem(path: string): string | undefined {
  if (path.length > PATH_LENGTH_MAX) return `a path has at most ${PATH_LENGTH_MAX} characters`;
  let names = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) names += 1;
  if (names > PATH_COMPONENTS_MAX) return `a path has at most ${PATH_COMPONENTS_MAX} names`;
  return undefined;
}

/** Nodes that every tree begins with, and that are never deleted (DataTree.isSpecialPath). */
export const SPECIAL_PATHS: readonly string[] = [
  "/",
  "/zookeeper",
  "/zookeeper/quota",
  "/zookeeper/config",
];

/** Whether the node is `/zookeeper` or below it: the server's own, which no client writes. */
export function isSystemPath(path: string): boolean {
  return path === "/zookeeper" || path.startsWith("/zookeeper/");
}

/** The path of the node above; of `/a`, `/`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** The last name of the path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export const SEQUENCE_SUFFIX_LENGTH = 10;

/** The suffix of a sequential node: ten digits of a signed 32-bit count, as C's `%010d`. */
export function sequenceSuffix(count: number): string {
  const signed = count | 0;
  return signed < 0 ? `-${String(-signed).padStart(9, "0")}` : String(signed).padStart(10, "0");
}
