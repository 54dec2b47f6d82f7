/** Checks whether this version of Node is new enough. package.json says which is, under `engines`. */
import { packageText } from "../server/version.ts";

/** Returns what is wrong, as text for people; undefined if the version is new enough. */
export function nodeProblem(version: string): string | undefined {
  const [, major = "0", minor = "0"] = /"node":\s*">=(\d+)\.(\d+)/.exec(packageText()) ?? [];
  const needed = [Number(major), Number(minor)] as const;
  const [hasMajor = 0, hasMinor = 0] = version.split(".").map(Number);
  if (hasMajor > needed[0] || (hasMajor === needed[0] && hasMinor >= needed[1])) return undefined;
  return `needs Node.js ${major}.${minor} or newer, and this is ${version} (${process.execPath}): install a newer one, or put it first on the PATH`;
}
