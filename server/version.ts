/** This package's version, read from its package.json. */
import { readFileSync } from "node:fs";

/** Beside the folder of this file in a checkout, one folder above that in the published package. */
const PLACES: readonly string[] = ["../package.json", "../../package.json"];

/** The text of package.json; empty if it is not there. */
export function packageText(): string {
  for (const path of PLACES) {
    try {
      return readFileSync(new URL(path, import.meta.url), "utf8");
    } catch {
      // The other place.
    }
  }
  return "";
}

export function zooidVersion(): string {
  return /"version":\s*"([^"]+)"/.exec(packageText())?.[1] ?? "unknown";
}
