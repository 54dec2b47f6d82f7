/** The flags that say what is logged and how: those of `zooid serve`, which `zooid ensemble` passes on. */
import type { LogLevel } from "../runtime/effects.ts";
import type { Flag } from "./flags.ts";
import { isLogFormat, isLogLevel, LOG_FORMATS, LOG_LEVELS, type LogFormat } from "./log-lines.ts";

export const LOG_LEVEL_FLAG: Flag = {
  name: "log-level",
  placeholder: "LEVEL",
  summary: `lowest level that is logged: ${LOG_LEVELS.join(", ")} (default info)`,
};

export const LOG_FORMAT_FLAG: Flag = {
  name: "log-format",
  placeholder: "FORMAT",
  summary: `text, or json: an object on each line (default text)`,
};

/** Returns the level that the flag names; undefined if it names none. */
export function logLevelOf(flags: ReadonlyMap<string, string>): LogLevel | undefined {
  const text = flags.get(LOG_LEVEL_FLAG.name) ?? "info";
  return isLogLevel(text) ? text : undefined;
}

/** Returns the format that the flag names; undefined if it names none. */
export function logFormatOf(flags: ReadonlyMap<string, string>): LogFormat | undefined {
  const text = flags.get(LOG_FORMAT_FLAG.name) ?? "text";
  return isLogFormat(text) ? text : undefined;
}

/** What is wrong with the flags of the log. */
export function logProblems(flags: ReadonlyMap<string, string>): readonly string[] {
  const problems: string[] = [];
  if (logLevelOf(flags) === undefined) {
    problems.push(`--log-level must be one of ${LOG_LEVELS.join(", ")}`);
  }
  if (logFormatOf(flags) === undefined) {
    problems.push(`--log-format must be one of ${LOG_FORMATS.join(", ")}`);
  }
  return problems;
}
