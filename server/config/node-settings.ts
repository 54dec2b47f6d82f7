/** A node's settings as an object of a program, in place of flags and a file. */
import { nearest } from "./nearest.ts";
import { KEYS } from "./keys.ts";
import type { NodeConfig, Problem, Setting } from "./node-config.ts";
import { validate, type ValidateOptions, type Validation } from "./validate.ts";

/** As a program writes it: without the brand of a number that has been checked. */
type Plain<Value> = Value extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : Value extends number
    ? number
    : Value;

/** The fields of a node's configuration, each with its default. */
export type NodeSettings = { readonly [Field in keyof NodeConfig]?: Plain<NodeConfig[Field]> };

const SOURCE = "startNode";

/** Everything that is wrong is reported at once. */
export function configOfSettings(
  settings: NodeSettings,
  transport: ValidateOptions["transport"] = "nats",
): Validation {
  const written = new Map<keyof NodeConfig, Setting>();
  const problems: Problem[] = [];
  for (const [field, value] of Object.entries(settings) as [string, unknown][]) {
    const key = KEYS.find((each) => each.field === field);
    const text = textOf(value);
    if (key === undefined) problems.push(unknownField(field, text));
    else if (text === undefined && value !== undefined) problems.push(noText(field));
    else if (text !== undefined) written.set(key.field, { value: text, source: SOURCE });
  }
  const validation = validate(written, { transport });
  if (problems.length === 0) return validation;
  const found = validation.kind === "valid" ? [] : validation.problems;
  return { kind: "invalid", problems: [...problems, ...found] };
}

/** As it would be written in a file; undefined for what cannot be. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (!Array.isArray(value)) return undefined;
  const items = value.map(textOf);
  return items.includes(undefined) ? undefined : items.join(",");
}

function unknownField(field: string, value: string | undefined): Problem {
  const names = KEYS.map((key) => key.field);
  const like = nearest(field, names);
  const hint = like === undefined ? `there are ${names.join(", ")}` : `is ${like} meant?`;
  return { field, value, source: SOURCE, rule: "must be a setting", hint };
}

function noText(field: string): Problem {
  const rule = "must be a string, a number, a boolean, or an array of them";
  return { field, value: undefined, source: SOURCE, rule, hint: "leave it out for its default" };
}
