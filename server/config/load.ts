/** Brings the command line, the configuration file and `myid` together. The command line wins. */
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ZOOKEEPER_ADVICE, ZOOKEEPER_FOLDER } from "../../actors/log/format/files.ts";
import { CONFIG_FILE_BYTES_MAX } from "../../protocol/limits.ts";
import type { ContainerConfig } from "./container-variables.ts";
import { readBounded, textOf } from "./file-text.ts";
import { KEYS } from "./keys.ts";
import type { NodeConfig, Problem, Setting, Settings } from "./node-config.ts";
import { AUTOCREATE_KEY, CRL_KEY } from "./zookeeper-keys.ts";
import { isFolder } from "./values.ts";
import { DATA_DIR_DEFAULT, type ValidateOptions, type Validation, validate } from "./validate.ts";
import { type IdleKey, readZooCfg, type ZooCfg } from "./zoo-cfg.ts";

export type ConfigSources = ValidateOptions & {
  /** By flag, without the dashes: `client-port`. Flags that are no settings are not looked at. */
  readonly flags: ReadonlyMap<string, string>;
  /** A `zoo.cfg`. */
  readonly file?: string | undefined;
  /** What the variables of a container say. The file, where there is one, wins over its lines. */
  readonly container?: ContainerConfig | undefined;
};

const NO_FILE: ZooCfg = {
  settings: new Map(),
  clientPorts: new Map(),
  crl: undefined,
  hasKnownKey: false,
  noAutocreate: undefined,
  warnings: [],
  idleKeys: [],
  problems: [],
};

function readText(path: string): string | Error {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A file that holds no setting is refused: it would start a node alone, on defaults. */
function readFile(file: string): ZooCfg {
  const refuse = (rule: string): ZooCfg => {
    const hint = "give the path of a zoo.cfg, or the settings as flags";
    const problem: Problem = { field: "config", value: file, source: "--config", rule, hint };
    return { ...NO_FILE, problems: [problem] };
  };
  let bytes: Uint8Array;
  try {
    bytes = readBounded(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`must be a file that can be read (${why})`);
  }
  if (bytes.length > CONFIG_FILE_BYTES_MAX) {
    return refuse(`must have at most ${CONFIG_FILE_BYTES_MAX} bytes`);
  }
  const text = textOf(bytes);
  if (text.kind === "refused") return refuse(text.rule);
  const read = readZooCfg(text.value, file);
  if (read.hasKnownKey) return read;
  return refuse("must have at least one of the settings of ZooKeeper or zooid, and has none");
}

function readLines({ file, container }: ConfigSources): ZooCfg {
  const path = file ?? container?.file;
  if (path !== undefined) return readFile(path);
  return container === undefined ? NO_FILE : readZooCfg(container.text, container.sourceOf);
}

/** The transaction logs of ZooKeeper are refused: a node that was started beside them would begin with an empty tree. */
function foreignLog(settings: Settings): readonly Problem[] {
  const dataLogDir = settings.get("dataLogDir");
  if (dataLogDir === undefined) return [];
  const { value, source } = dataLogDir;
  const folder = join(resolve(value), ZOOKEEPER_FOLDER);
  if (!isFolder(folder)) return [];
  const rule = `must not hold ${ZOOKEEPER_FOLDER}, the transaction logs of Apache ZooKeeper`;
  return [{ field: "dataLogDir", value, source, rule, hint: ZOOKEEPER_ADVICE }];
}

/** Java finds such lists by itself, here they are a file. */
function missingCrl({ crl }: ZooCfg, settings: Settings): readonly Problem[] {
  if (crl === undefined || settings.has("tlsCrlFile")) return [];
  const rule =
    "asks for certificates that were withdrawn to be refused, and no list of them is named";
  const hint = "name a file with such lists in zooid.tlsCrlFile (--tls-crl), or remove the line";
  return [{ field: CRL_KEY, ...crl, rule, hint }];
}

function settingsOfFlags(flags: ReadonlyMap<string, string>): Settings {
  const settings = new Map<keyof NodeConfig, Setting>();
  for (const { field, flag } of KEYS) {
    const value = flags.get(flag);
    if (value !== undefined) settings.set(field, { value, source: `--${flag}` });
  }
  return settings;
}

/** The id of a member that was given none: what the file `myid` in its folder says, as in ZooKeeper. */
function myId(dataDir: string): Setting | undefined {
  const path = join(dataDir, "myid");
  const text = readText(path);
  if (typeof text !== "string") return undefined;
  const shown = relative("", path);
  return { value: text.trim(), source: shown.startsWith("..") ? path : shown };
}

/** A folder that is not there may be a disk that is not mounted, or a mistyped line; a node that made it would begin empty. */
function missingDataDir({ noAutocreate }: ZooCfg, settings: Settings): readonly Problem[] {
  const { value = DATA_DIR_DEFAULT, source } = settings.get("dataDir") ?? {};
  if (noAutocreate === undefined || existsSync(value)) return [];
  const rule = `must be there, since ${AUTOCREATE_KEY} (${noAutocreate.source}) is not true`;
  return [{ field: "dataDir", value, source, rule, hint: "make the folder, or mount its disk" }];
}

export type Loaded = Validation & {
  /** What was written, and where. */
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** Keys of the file that do nothing here and that nobody misses. */
  readonly idleKeys: readonly IdleKey[];
};

/** Warnings and problems of the file come first, in its order. */
export function loadConfig(sources: ConfigSources): Loaded {
  const { container } = sources;
  const fromFile = readLines(sources);
  const settings = new Map([...fromFile.settings, ...settingsOfFlags(sources.flags)]);
  if (settings.has("members") && !settings.has("id")) {
    const id = myId(settings.get("dataDir")?.value ?? DATA_DIR_DEFAULT);
    if (id !== undefined) settings.set("id", id);
  }
  for (const [field, setting] of container?.otherwise ?? []) {
    if (!settings.has(field)) settings.set(field, setting);
  }
  const ownPort = fromFile.clientPorts.get(settings.get("id")?.value ?? "");
  if (ownPort !== undefined && !settings.has("clientPort")) settings.set("clientPort", ownPort);
  const validation = validate(settings, sources);
  const { idleKeys } = fromFile;
  const warnings = [...(container?.warnings ?? []), ...fromFile.warnings];
  const problems = [
    ...fromFile.problems,
    ...missingCrl(fromFile, settings),
    ...missingDataDir(fromFile, settings),
    ...foreignLog(settings),
  ];
  if (validation.kind === "invalid") problems.push(...validation.problems);
  if (validation.kind === "invalid" || problems.length > 0) {
    return { kind: "invalid", problems, settings, warnings, idleKeys };
  }
  return { ...validation, settings, warnings: [...warnings, ...validation.warnings], idleKeys };
}
