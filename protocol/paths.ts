/** Znode paths. Source: ZooKeeper's PathUtils.validatePath. */
import { PATH_COMPONENTS_MAX, PATH_LENGTH_MAX } from "./limits.ts";

// The ranges are those of PathUtils, in UTF-16 units.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Why the path is not valid; undefined if it is. */
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

/** Why the path is larger than a znode's path may be; undefined if it is not. */
export function pathSizeProblem(path: string): string | undefined {
  if (path.length > PATH_LENGTH_MAX) return `a path has at most ${PATH_LENGTH_MAX} characters`;
  let names = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) names += 1;
  if (names > PATH_COMPONENTS_MAX) return `a path has at most ${PATH_COMPONENTS_MAX} names`;
  return undefined;
}

/** Znodes that every tree begins with and that are never deleted (ZooKeeper's DataTree.isSpecialPath). */
export const SPECIAL_PATHS: readonly string[] = [
  "/",
  "/zookeeper",
  "/zookeeper/quota",
  "/zookeeper/config",
];

/** The znode that tells the ensemble's configuration. No client writes to it or below it. */
export const CONFIG_PATH = "/zookeeper/config";

export function isChildOfConfig(path: string): boolean {
  const { length } = CONFIG_PATH;
  // Most paths have another character there, which is the cheapest to see.
  return path[length] === "/" && path.startsWith(CONFIG_PATH) && path.lastIndexOf("/") === length;
}

/** Returns the path of the parent; `/` for `/a`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** Returns the last name of the path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns the path of a child; `/a` for `a` below `/`. */
export function childOf(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** Whether the path is `top` itself or somewhere below it. */
export function isAtOrBelow(path: string, top: string): boolean {
  return path === top || top === "/" || path.startsWith(`${top}/`);
}

export const SEQUENCE_SUFFIX_LENGTH = 10;

/** Returns the suffix of a sequential znode: a signed 32-bit count in ten digits, as C's `%010d` prints it. */
export function sequenceSuffix(count: number): string {
  const signed = count | 0;
  return signed < 0 ? `-${String(-signed).padStart(9, "0")}` : String(signed).padStart(10, "0");
}
