/** Operands and flags that several commands have. */
import { type Flag, isVersion, type Operand } from "../spec.ts";

export const PATH: Operand = { name: "path", summary: "the znode", completes: "path" };

export const JSON_FLAG: Flag = { name: "json", summary: "one JSON object a line, for programs" };

export const STAT_FLAG: Flag = {
  short: "s",
  name: "stat",
  summary: "also print its bookkeeping, as stat does",
};

export const VERSION_FLAG: Flag = {
  short: "v",
  name: "version",
  placeholder: "N",
  summary: "only if the znode still has this version (default: any)",
  rule: isVersion,
};

/** Where a value comes from, and how it is written. */
export const VALUE_FLAGS: readonly Flag[] = [
  {
    name: "file",
    placeholder: "FILE",
    summary: "the value is what the file holds",
    completes: "file",
  },
  { name: "hex", summary: "the value is written in hexadecimal digits", excludes: ["base64"] },
  { name: "base64", summary: "the value is written in base64" },
];

export const YES_FLAG: Flag = { short: "y", name: "yes", summary: "do not ask" };
