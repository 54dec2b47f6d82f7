/** This package's version, read from its package.json. */
import { readFileSync } from "node:fs";

/** Beside the folder of this file in a checkout, one folder above that in the published package. */
const PLACES: readonly string[] = ["../package.json", "../../package.json"];

export function zooidVersion(): string {
  for (const path of PLACES) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), "utf8");
      return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? "unknown";
    } catch {
      // The other place.
    }
  }
  return "unknown";
}
