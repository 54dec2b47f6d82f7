/** JSON as ZooKeeper's AdminServer prints it, since scripts look for `"error" : null`. Source: the DefaultPrettyPrinter of Jackson. */

export type Json =
  | null
  | boolean
  | string
  | number
  | JavaDouble
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A number that Java prints with a decimal point even if it is whole. */
export class JavaDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export function javaJson(value: Json, indent = ""): string {
  if (value instanceof JavaDouble) {
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  }
  if (isList(value)) {
    if (value.length === 0) return "[ ]";
    return `[ ${value.map((item) => javaJson(item, indent)).join(", ")} ]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const fields = Object.entries(value).map(
    ([name, item]) => `${inner}${JSON.stringify(name)} : ${javaJson(item, inner)}`,
  );
  return fields.length === 0 ? "{ }" : `{\n${fields.join(",\n")}\n${indent}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
