/** Reads the arguments of a command by commander, to which the command's description is given as data. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { CONNECTION_FLAGS } from "./connection.ts";
import { Given } from "./given.ts";
import type { Flag, Spec } from "./spec.ts";

export type Parsed =
  | { readonly kind: "run"; readonly given: Given }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly message: string };

export function parse(spec: Spec, args: readonly string[]): Parsed {
  const nowhere = (): void => undefined;
  const command = commandOf(spec).configureOutput({ writeOut: nowhere, writeErr: nowhere });
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help", text: helpOf(spec) };
    return { kind: "wrong", message: messageOf(error) };
  }
  return { kind: "run", given: givenOf(spec, command) };
}

export function helpOf(spec: Spec): string {
  const width = Math.max(0, ...spec.examples.map(({ command }) => command.length));
  const examples = spec.examples.map(({ command, does }) =>
    `  ${command.padEnd(width)}  ${does}`.trimEnd(),
  );
  return [commandOf(spec).helpInformation(), "Examples:", ...examples].join("\n");
}

/** The flags of a command, those of its connection too. */
export function flagsOf(spec: Spec): readonly Flag[] {
  return spec.connects ? [...spec.flags, ...CONNECTION_FLAGS] : spec.flags;
}

function commandOf(spec: Spec): Command {
  const command = new Command(`zooid ${spec.name}`)
    .description(descriptionOf(spec))
    .helpOption("-h, --help", "this text")
    .exitOverride();
  for (const { name, summary, optional, variadic } of spec.operands) {
    const form = `${name}${variadic === true ? "..." : ""}`;
    command.addArgument(new Argument(optional ? `[${form}]` : `<${form}>`, summary));
  }
  for (const flag of spec.flags) command.addOption(optionOf(flag));
  command.optionsGroup("Which ensemble, and as whom:");
  if (spec.connects) for (const flag of CONNECTION_FLAGS) command.addOption(optionOf(flag));
  return command;
}

/** In one line for each paragraph: the help breaks them as wide as the terminal is. */
function descriptionOf({ summary, details }: Spec): string {
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return details === undefined ? first : `${first} ${details.replaceAll("\n", " ")}`;
}

function optionOf(flag: Flag): Option {
  const { rule, repeats } = flag;
  const option = new Option(formOf(flag), flag.summary);
  if (flag.excludes !== undefined) option.conflicts(flag.excludes.map(attributeOf));
  return option.argParser((text: string, before: unknown) => {
    const problem = rule?.(text);
    if (problem !== undefined) throw new InvalidArgumentError(problem);
    return repeats === true && Array.isArray(before) ? [...before, text] : [text];
  });
}

/** As the help shows it: `-v, --version <N>`. */
export function formOf({ short, name, placeholder }: Flag): string {
  const letter = short === undefined ? "" : `-${short}, `;
  return `${letter}--${name}${placeholder === undefined ? "" : ` <${placeholder}>`}`;
}

function attributeOf(name: string): string {
  return new Option(`--${name}`).attributeName();
}

function givenOf(spec: Spec, command: Command): Given {
  const operands = new Map<string, readonly string[]>();
  for (const [index, { name }] of spec.operands.entries()) {
    const value: unknown = command.processedArgs[index];
    if (Array.isArray(value) && value.length > 0) operands.set(name, value.map(String));
    else if (typeof value === "string") operands.set(name, [value]);
  }
  const flags = new Map<string, readonly string[]>();
  for (const { name } of flagsOf(spec)) {
    const value: unknown = command.getOptionValue(attributeOf(name));
    if (value !== undefined) flags.set(name, Array.isArray(value) ? value.map(String) : []);
  }
  return new Given(operands, flags);
}

function messageOf({ message }: CommanderError): string {
  return message.replace(/^error: /, "").replaceAll("\n", " ");
}
