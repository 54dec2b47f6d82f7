/** Brings the command line, the configuration file and `myid` together. The command line wins. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { KEYS } from "./keys.ts";
import type { NodeConfig, Problem, Setting, Settings } from "./node-config.ts";
import { DATA_DIR_DEFAULT, type ValidateOptions, type Validation, validate } from "./validate.ts";
import { readZooCfg, type ZooCfg } from "./zoo-cfg.ts";

export type ConfigSources = ValidateOptions & {
  /** By flag, without the dashes: `client-port`. Flags that are no settings are not looked at. */
  readonly flags: ReadonlyMap<string, string>;
  /** A `zoo.cfg`. */
  readonly file?: string | undefined;
};

const NO_FILE: ZooCfg = { settings: new Map(), clientPorts: new Map(), warnings: [], problems: [] };

function readText(path: string): string | Error {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function readFile(file: string): ZooCfg {
  const text = readText(file);
  if (typeof text === "string") return readZooCfg(text, file);
  const hint = "give the path of a zoo.cfg, or the settings as flags";
  const rule = `must be a file that can be read (${text.message})`;
  const problem: Problem = { field: "config", value: file, source: "--config", rule, hint };
  return { ...NO_FILE, problems: [problem] };
}

function settingsOfFlags(flags: ReadonlyMap<string, string>): Settings {
  const settings = new Map<keyof NodeConfig, Setting>();
  for (const { field, flag } of KEYS) {
    const value = flags.get(flag);
    if (value !== undefined) settings.set(field, { value, source: `--${flag}` });
  }
  return settings;
}

/** Of a member that was not told its id: the `myid` file of its folder, as in ZooKeeper. */
function myId(dataDir: string): Setting | undefined {
  const path = join(dataDir, "myid");
  const text = readText(path);
  if (typeof text !== "string") return undefined;
  const shown = relative("", path);
  return { value: text.trim(), source: shown.startsWith("..") ? path : shown };
}

/** Warnings and problems of the file come first, in its order. */
export function loadConfig(sources: ConfigSources): Validation {
  const fromFile = sources.file === undefined ? NO_FILE : readFile(sources.file);
  const settings = new Map([...fromFile.settings, ...settingsOfFlags(sources.flags)]);
  if (settings.has("members") && !settings.has("id")) {
    const id = myId(settings.get("dataDir")?.value ?? DATA_DIR_DEFAULT);
    if (id !== undefined) settings.set("id", id);
  }
  const ownPort = fromFile.clientPorts.get(settings.get("id")?.value ?? "");
  if (ownPort !== undefined && !settings.has("clientPort")) settings.set("clientPort", ownPort);
  const validation = validate(settings, sources);
  if (validation.kind === "valid" && fromFile.problems.length === 0) {
    return { ...validation, warnings: [...fromFile.warnings, ...validation.warnings] };
  }
  const found = validation.kind === "valid" ? [] : validation.problems;
  return { kind: "invalid", problems: [...fromFile.problems, ...found] };
}
