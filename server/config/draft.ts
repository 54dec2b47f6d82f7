/** The configuration on its way from what was written: how a field is read, and how one is refused. */
import type { NodeConfig, Problem, Setting, Settings } from "./node-config.ts";
import type { Reader } from "./values.ts";

export type Draft = {
  readonly settings: Settings;
  readonly problems: Problem[];
  readonly warnings: string[];
};

export function refuse(draft: Draft, field: keyof NodeConfig, rule: string, hint: string): void {
  const setting: Setting | undefined = draft.settings.get(field);
  draft.problems.push({ field, value: setting?.value, source: setting?.source, rule, hint });
}

export function read<Value>(
  draft: Draft,
  field: keyof NodeConfig,
  reader: Reader<Value>,
  byDefault: Value,
): Value {
  const setting = draft.settings.get(field);
  if (setting === undefined) return byDefault;
  const reading = reader(setting.value);
  if (reading.kind === "read") return reading.value;
  refuse(draft, field, reading.rule, reading.hint);
  return byDefault;
}
