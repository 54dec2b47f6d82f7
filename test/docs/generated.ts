/**
 * Tables of the documentation that are made from the code, so that they cannot be wrong. Each stands in its file between two comments;
 * `npm run docs` writes them again, and a test says where one differs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { TOPICS } from "../../actors/topics.ts";
import { FORMAT_VERSION } from "../../actors/log/format/files.ts";
import { BACKUP_VERSION } from "../../cli/backup/file/frames.ts";
import { STATE_MACHINE_VERSION } from "../../protocol/barrier.ts";
import { EVENTS } from "../../protocol/events.ts";
import { NATIVE_VERSION } from "../../protocol/native.ts";
import { PEER_FRAME_VERSION } from "../../protocol/peer-frame.ts";
import { RECORD_VERSION } from "../../protocol/record.ts";
import { SNAPSHOT_VERSION } from "../../protocol/snapshot.ts";
import { WIRING } from "../../server/wiring.ts";
import { CONTAINER_VARIABLES } from "../../server/config/container-variables.ts";
import { KEYS } from "../../server/config/keys.ts";
import { certs } from "../../cli/certs/command.ts";
import { CONNECTION_FLAGS } from "../../cli/console/connection.ts";
import { EXIT_CODES } from "../../cli/console/exit-codes.ts";
import { formOf } from "../../cli/console/parse.ts";
import type { Flag, Spec } from "../../cli/console/spec.ts";
import { SPECS } from "../../cli/console/specs.ts";
import type { Row } from "../../server/config/key-rows.ts";
import { CHAPTERS } from "../../server/config/zookeeper-keys.ts";
import { API_PATH, ENDPOINTS } from "../../server/admin/api/endpoints.ts";
import { COMMANDS } from "../../server/admin/commands.ts";
import type { Metric } from "../../server/admin/metrics/metric.ts";
import { OWN_METRICS } from "../../server/admin/metrics/own.ts";
import { namesOf } from "../../server/admin/metrics/scrape.ts";
import { ZOOKEEPER_METRICS } from "../../server/admin/metrics/zookeeper.ts";
import { PHASES, STAGES } from "../../server/measures/measures.ts";
import { RETIRED_WORDS } from "../setup/words.ts";

const ROOT = new URL("../..", import.meta.url);
const CONSOLE = "docs/operations/console.md";

export type GeneratedTable = {
  readonly file: string;
  readonly name: string;
  readonly make: () => string;
};

export const GENERATED: readonly GeneratedTable[] = [
  { file: "docs/internals/architecture.md", name: "topics", make: topics },
  { file: "docs/operations/events.md", name: "events", make: events },
  { file: "docs/operations/zookeeper-keys.md", name: "keys of ZooKeeper", make: zookeeperKeys },
  { file: "docs/operations/upgrade.md", name: "versions", make: versions },
  { file: "docs/operations/container.md", name: "variables", make: containerVariables },
  { file: "docs/operations/admin-server.md", name: "commands", make: commands },
  { file: "docs/operations/admin-server.md", name: "endpoints of the API", make: endpoints },
  {
    file: "docs/operations/metrics.md",
    name: "metrics of ZooKeeper",
    make: () => metrics(ZOOKEEPER_METRICS, (metric) => namesOf(metric, "both")),
  },
  {
    file: "docs/operations/metrics.md",
    name: "metrics of zooid",
    make: () => metrics(OWN_METRICS, ({ name }) => [name]),
  },
  {
    file: "docs/operations/metrics.md",
    name: "stages of a write",
    make: () => meanings("stage", STAGES),
  },
  {
    file: "docs/operations/metrics.md",
    name: "phases of an election",
    make: () => meanings("phase", PHASES),
  },
  { file: "docs/internals/glossary.md", name: "retired words", make: retiredWords },
  {
    file: "docs/operations/security.md",
    name: "flags of certs",
    make: () =>
      flagsTable(
        certs.flags.map(({ name, placeholder, summary }) => ({
          ...{ name, summary },
          ...(placeholder !== undefined && { placeholder }),
        })),
      ),
  },
  { file: CONSOLE, name: "flags of a connection", make: () => flagsTable(CONNECTION_FLAGS) },
  { file: CONSOLE, name: "exit codes", make: exitCodes },
  { file: CONSOLE, name: "commands of the console", make: consoleCommands },
];

function topics(): string {
  const rows = Object.entries(TOPICS).map(([topic, { from, is, meaning }]) => {
    const heard = WIRING.filter((wire) => wire.topic === topic).flatMap(({ to, lanes }) =>
      to.map((actor) => `\`${actor}\`${LANES[lanes]}`),
    );
    const takers = heard.length === 0 ? "the node itself" : heard.join(", ");
    return `| \`${topic}\`: ${meaning} | ${is} | \`${from}\` | ${takers} |`;
  });
  return ["| topic | is | from | heard by |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const LANES = { every: "", own: " of the same lane", first: " (of lane 1)" } as const;

function events(): string {
  const rows = Object.entries(EVENTS).map(
    ([name, { level, meaning }]) => `| \`${name}\` | ${level} | ${meaning} |`,
  );
  return ["| event | level | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function zookeeperKeys(): string {
  return CHAPTERS.map(({ title, rows }) =>
    [`## ${title}`, "", "| key | here | |", "| --- | --- | --- |", ...rows.map(keyRow)].join("\n"),
  ).join("\n\n");
}

function keyRow({ keys, treatment, harmless }: Row): string {
  const names = keys.map((key) => `\`${key.replace(/^(server|group|weight)\.\*$/, "$1.N")}\``);
  const unless = harmless === undefined ? "" : `, unless ${harmless.text}`;
  const [here, why] = treatmentText(treatment);
  return `| ${names.join(", ")} | ${here}${unless} | ${why} |`;
}

function treatmentText(treatment: Row["treatment"]): readonly [here: string, why: string] {
  switch (treatment.kind) {
    case "works": {
      if ("effect" in treatment) return ["works", treatment.effect];
      const key = KEYS.find((each) => each.field === treatment.field);
      return ["works", `\`--${key?.flag}\``];
    }
    case "checked":
      return ["checked, no effect", treatment.because];
    case "idle":
      return ["no effect", treatment.because];
    case "missed":
      return ["**no effect**", `${treatment.because}; ${treatment.instead}`];
    case "refused":
      return ["**refused**", `${treatment.rule}; ${treatment.hint}`];
  }
}

function versions(): string {
  const rows = [
    [
      "messages between nodes",
      PEER_FRAME_VERSION,
      "this one only",
      "nodes hear only those of their own version",
    ],
    [
      "the state machine",
      STATE_MACHINE_VERSION,
      `up to ${STATE_MACHINE_VERSION}`,
      "a node takes no records of a leader with a higher one",
    ],
    [
      "records of the log",
      RECORD_VERSION,
      "this one only",
      "a node with a log of a higher one does not start",
    ],
    [
      "the data folder",
      FORMAT_VERSION,
      `1 to ${FORMAT_VERSION}`,
      "a folder of a higher one is refused; a lower one becomes this one as the node goes on",
    ],
    ["snapshots", SNAPSHOT_VERSION, `1 to ${SNAPSHOT_VERSION}`, "the same"],
    ["backup files", BACKUP_VERSION, "this one only", "a backup of another one is refused"],
    [
      "the native protocol",
      NATIVE_VERSION,
      "this one only",
      "a client of another one is turned away, and told so",
    ],
  ].map((row) => `| ${row.join(" | ")} |`);
  const head = ["| of | version | is read | and otherwise |", "| --- | --- | --- | --- |"];
  return [...head, ...rows].join("\n");
}

function containerVariables(): string {
  const rows = CONTAINER_VARIABLES.map(({ name, effect }) => `| \`${name}\` | ${effect} |`);
  return ["| variable | what it does |", "| --- | --- |", ...rows].join("\n");
}

function commands(): string {
  const rows = COMMANDS.map(({ names, access, serving, summary }) => {
    const shown = names.map((name) => `\`${name}\``).join(", ");
    return `| ${shown} | ${access} | ${serving ? "no" : "yes"} | ${summary} |`;
  });
  const head = "| command | is | without a leader | what it tells or does |";
  return [head, "| --- | --- | --- | --- |", ...rows].join("\n");
}

function endpoints(): string {
  const rows = ENDPOINTS.map(({ name, method, query, summary }) => {
    const parameters = query.map((each) => `\`${each}\``).join(", ");
    return `| \`${method} ${API_PATH}/${name}\` | ${parameters} | ${summary} |`;
  });
  return ["| endpoint | parameters | what it tells |", "| --- | --- | --- |", ...rows].join("\n");
}

function metrics<Known>(
  table: readonly Metric<Known>[],
  names: (metric: Metric<Known>) => readonly string[],
): string {
  const rows = table.map((metric) => {
    const shown = names(metric).map((name) => `\`${name}\``);
    return `| ${shown.join(", ")} | ${metric.type} | ${metric.help} |`;
  });
  return ["| metric | type | what it is |", "| --- | --- | --- |", ...rows].join("\n");
}

function meanings(what: string, names: Readonly<Record<string, string>>): string {
  const rows = Object.entries(names).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`);
  return [`| ${what} | |`, "| --- | --- |", ...rows].join("\n");
}

function retiredWords(): string {
  const rows = RETIRED_WORDS.map(
    ({ word, meant, instead }) => `| ${word} | ${meant} | ${instead} |`,
  );
  return ["| word | for | instead |", "| --- | --- | --- |", ...rows].join("\n");
}

function consoleCommands(): string {
  return SPECS.map(commandText).join("\n\n");
}

function commandText(spec: Spec): string {
  const { name, summary, details, operands, flags, examples } = spec;
  const usage = operands.map(({ name: operand, optional, variadic }) => {
    const form = `${operand}${variadic === true ? "..." : ""}`;
    return optional === true ? ` [${form}]` : ` <${form}>`;
  });
  const width = Math.max(0, ...examples.map(({ command }) => command.length));
  const lines = examples.map(({ command, does }) =>
    does === "" ? command : `${command.padEnd(width)}  # ${does}`,
  );
  return [
    `### \`zooid ${name}${usage.join("")}\``,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${details === undefined ? "" : ` ${details.replaceAll("\n", " ")}`}`,
    ...(operands.length === 0 ? [] : [operandsTable(spec)]),
    ...(flags.length === 0 ? [] : [flagsTable(flags)]),
    ...(lines.length === 0 ? [] : [["```bash", ...lines, "```"].join("\n")]),
  ].join("\n\n");
}

function operandsTable({ operands }: Spec): string {
  const rows = operands.map(({ name, summary }) => `| \`${name}\` | ${summary} |`);
  return ["| operand | |", "| --- | --- |", ...rows].join("\n");
}

function flagsTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => `| \`${formOf(flag)}\` | ${flag.summary} |`);
  return ["| flag | |", "| --- | --- |", ...rows].join("\n");
}

function exitCodes(): string {
  const rows = EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ["| exit code | |", "| --- | --- |", ...rows].join("\n");
}

/** The file as it should be. Throws when the file has no place for the table. */
export function withTable(text: string, { file, name, make }: GeneratedTable): string {
  const begin = `<!-- ${name}: made by npm run docs -->\n`;
  const end = `\n<!-- end of ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${file} has no place for the table of ${name}`);
  return text.slice(0, from + begin.length) + make() + text.slice(to);
}

export function readDoc(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8");
}

export function writeTables(): readonly string[] {
  const written: string[] = [];
  for (const table of GENERATED) {
    const before = readDoc(table.file);
    const after = withTable(before, table);
    if (after === before) continue;
    writeFileSync(new URL(table.file, ROOT), after);
    written.push(`${table.file}: ${table.name}`);
  }
  return written;
}
