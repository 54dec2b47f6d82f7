/** Who may import whom, what actors and the protocol may not name, and how long a file may be: as data and one function. */
import { dirname, join, normalize } from "node:path/posix";
import { codeOf, type Import, importsOf } from "./scan.ts";

export type SourceFile = {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
};

/** The folders a folder may import from, beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  protocol: [],
  actors: ["runtime", "protocol"],
  server: ["runtime", "protocol", "actors"],
  client: ["protocol"],
  testing: ["runtime", "protocol", "actors", "server", "client"],
  adapters: [],
  dashboard: [],
  packaging: ["dashboard"],
  site: ["test"],
  cli: ["runtime", "protocol", "actors", "server", "client"],
  bench: ["runtime", "protocol", "actors", "server", "client", "cli"],
  test: [
    "runtime",
    "protocol",
    "actors",
    "server",
    "client",
    "adapters",
    "testing",
    "cli",
    "bench",
    "examples",
    "dashboard",
    "packaging",
    "site",
  ],
  examples: [],
};

/** The one folder of another layer that a layer may import from all the same. */
const SHARED_FOLDERS: Readonly<Record<string, string>> = {
  client: "runtime/nats",
};

/** A folder inside a layer that may import another layer, which the rest of its own may not. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  // Gives native clients of the same process.
  "server/embedded": "client",
};
/** What users of the package see of a layer: all that adapters may import. */
const PUBLIC_MODULES: readonly string[] = ["client/connect.ts", "client/diagnostics.ts"];

/** The one folder that the site may import from of the tests: it shows the simulator. */
const SHOWN_FOLDER = "test/sim/";

const OTHER_FOLDERS: readonly string[] = ["docs", "ops"];
export const TOP_FOLDERS: readonly string[] = [...Object.keys(MAY_IMPORT), ...OTHER_FOLDERS];

const LINES_MAX = 500;

/** Folders whose code gets time, chance and I/O handed in; the packages they may use all the same. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  actors: [],
  protocol: ["cbor-x"],
  "client/session": [],
  "client/zookeeper/session": [],
};
/** Folders inside a layer that import nothing else of it than each other. */
const APART: readonly string[] = ["client/session", "client/zookeeper/session"];

const BANNED_NAMES: readonly string[] = [
  "Date",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Promise",
  "async",
  "performance",
  "process",
  "crypto",
  "globalThis",
  "require",
  "fetch",
];
// Not a member of something (`.process`), and not a key (`process:`).
const BANNED = new RegExp(
  String.raw`(?<![.\w$#])(?:${BANNED_NAMES.join("|")})\b(?!\s*\??:)|\bMath\s*\.\s*random\b`,
  "g",
);

function folderOf(path: string): string {
  return path.split("/")[0] ?? "";
}

/** The project file that a relative import means; undefined for a package. */
function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : undefined;
}

function actorOf(path: string): string | undefined {
  const [top, actor, ...rest] = path.split("/");
  return top === "actors" && rest.length > 0 ? actor : undefined;
}

/** An actor may import the messages of another actor and nothing else of it. Every actor may import the list of all inboxes. */
function isActorSecret(from: string, target: string): boolean {
  const actor = actorOf(target);
  if (actor === undefined || actor === actorOf(from)) return false;
  return !target.endsWith("/messages.ts");
}

/** The folder of `PURE` that the file is in. */
function pureFolderOf(path: string): string | undefined {
  return Object.keys(PURE).find((folder) => path.startsWith(`${folder}/`));
}

function packageProblem(path: string, specifier: string): string | undefined {
  const folder = pureFolderOf(path);
  if (folder === undefined || PURE[folder]?.includes(specifier) === true) return undefined;
  return `${folder}/ may not import ${specifier}`;
}

/** A folder that stands apart may import other layers as its own may, without what that layer shares with another. */
function apartProblem(path: string, target: string, specifier: string): string | undefined {
  const folder = APART.find((each) => path.startsWith(`${each}/`));
  if (folder === undefined || APART.some((each) => target.startsWith(`${each}/`))) return undefined;
  const isOwnLayer = folderOf(target) === folderOf(path);
  const isShared = dirname(target) === SHARED_FOLDERS[folderOf(path)];
  return isOwnLayer || isShared ? `${folder}/ may not import ${specifier}` : undefined;
}

function importProblem(path: string, imported: Import): string | undefined {
  const { specifier, typeOnly } = imported;
  const folder = folderOf(path);
  const target = targetOf(path, specifier);
  if (target === undefined) return packageProblem(path, specifier);
  const targetFolder = folderOf(target);
  if (folder === "examples") return "examples/ import the package by its public name only";
  const apart = apartProblem(path, target, specifier);
  if (apart !== undefined) return apart;
  if (dirname(target) === SHARED_FOLDERS[folder]) return undefined;
  if (EXCEPTIONS[dirname(path)] === targetFolder) return undefined;
  if (folder === "adapters" && PUBLIC_MODULES.includes(target)) return undefined;
  if (folder !== targetFolder && MAY_IMPORT[folder]?.includes(targetFolder) !== true) {
    return `${folder}/ may not import from ${targetFolder}/ (${specifier})`;
  }
  if (folder === "site" && targetFolder === "test" && !target.startsWith(SHOWN_FOLDER)) {
    return `site/ may import only ${SHOWN_FOLDER} of test/ (${specifier})`;
  }
  if (folder !== "actors") return undefined;
  if (targetFolder === "runtime" && !typeOnly) {
    return `actors/ may import only types of runtime/ (${specifier})`;
  }
  if (isActorSecret(path, target)) {
    return `an actor may import only the messages.ts of another (${specifier})`;
  }
  return undefined;
}

/** Tests of one file that start their processes at the same time would be a machine with too much work by themselves. */
const INTEGRATION_FILE = /^test\/integration\/[^/]+\.test\.ts$/;
const AT_ONCE = /(?<=^\s*)test\(/gm;

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function fileProblems(file: SourceFile): readonly string[] {
  const problems: string[] = [];
  const lines = file.text.trimEnd().split("\n").length;
  if (lines > LINES_MAX) problems.push(`${file.path}: ${lines} lines, at most ${LINES_MAX}`);
  for (const imported of importsOf(file.text)) {
    const problem = importProblem(file.path, imported);
    if (problem !== undefined) problems.push(`${file.path}:${imported.line}: ${problem}`);
  }
  const code = codeOf(file.text);
  if (INTEGRATION_FILE.test(file.path)) {
    for (const { index } of code.matchAll(AT_ONCE)) {
      problems.push(`${file.path}:${lineOf(code, index)}: tests of this folder are test.serial`);
    }
  }
  const folder = pureFolderOf(file.path);
  if (folder === undefined) return problems;
  for (const match of code.matchAll(BANNED)) {
    const line = lineOf(code, match.index);
    problems.push(`${file.path}:${line}: ${folder}/ may not use ${match[0]}`);
  }
  return problems;
}

/** Every breach, one line each. Seeing nothing is a breach too: a gate that looks at nothing passes everything. */
export function layerProblems(
  files: readonly SourceFile[],
  topFolders: readonly string[],
): readonly string[] {
  if (files.length === 0) return ["no source file was seen"];
  const strangers = topFolders.filter((folder) => !TOP_FOLDERS.includes(folder));
  return [
    ...strangers.map((folder) => `${folder}/: no such room in the layout`),
    ...files.flatMap(fileProblems),
  ];
}
