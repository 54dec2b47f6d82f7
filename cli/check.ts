/** `zooid serve --check`: what a node would use, and from where, as text. */
import { counted } from "./counted.ts";
import { KEYS } from "../server/config/keys.ts";
import type { Loaded } from "../server/config/load.ts";
import { type NodeConfig, problemsText, shownValue } from "../server/config/node-config.ts";
import type { IdleKey } from "../server/config/zoo-cfg.ts";

const NONE = "none";
const DEFAULT_SOURCE = "default";

/** Everything there is to say, the most important first. */
export function checkText(loaded: Loaded): string {
  const pieces =
    loaded.kind === "valid"
      ? ["The configuration is valid. A node would use:", settingsText(loaded, loaded.config)]
      : [problemsText(loaded.problems)];
  const { warnings, idleKeys } = loaded;
  if (warnings.length > 0) {
    pieces.push(`${counted(warnings.length, "warning")}:`, ...warnings.map((each) => `  ${each}`));
  }
  if (idleKeys.length > 0) {
    const lines = idleKeys.map(({ key, source, because }) => `  ${source}: ${key}: ${because}`);
    pieces.push(`${withoutEffect(idleKeys.length)}:`, ...lines);
  }
  return pieces.join("\n");
}

/** In one line, for a log; undefined when there is none. */
export function idleKeysLine(idleKeys: readonly IdleKey[]): string | undefined {
  if (idleKeys.length === 0) return undefined;
  const names = idleKeys.map(({ key }) => key).join(", ");
  return `${withoutEffect(idleKeys.length)}: ${names}; zooid serve --check says why`;
}

function withoutEffect(count: number): string {
  return `${counted(count, "key")} ${count === 1 ? "has" : "have"} no effect here`;
}

/** One line for each setting, under the name that its file has for it. */
function settingsText({ settings }: Loaded, config: NodeConfig): string {
  const lines = KEYS.map(({ field, flag, fileKey }) => [
    fileKey ?? `--${flag}`,
    valueText(field, config[field]),
    settings.get(field)?.source ?? DEFAULT_SOURCE,
  ]);
  const width = (column: number): number =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = [width(0), width(1)];
  return lines
    .map((line) => `  ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}`)
    .join("\n");
}

function valueText(field: keyof NodeConfig, value: NodeConfig[keyof NodeConfig]): string {
  const text = typeof value === "object" ? value.join(",") : String(value ?? "");
  return text === "" ? NONE : shownValue(field, text);
}
