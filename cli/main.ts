/** Finds the command that the arguments name, reads its flags, and runs it. */
import { nearest } from "../server/config/nearest.ts";
import { zooidVersion } from "../server/version.ts";
import { BACKUP_COMMANDS } from "./backup/commands.ts";
import { type Command, EXIT_MISUSED, EXIT_OK } from "./command.ts";
import { ensemble } from "./ensemble/command.ts";
import { flagsText, readFlags } from "./flags.ts";
import { inspect } from "./inspect.ts";
import { serve } from "./serve.ts";

const COMMANDS: readonly Command[] = [serve, ensemble, inspect, ...BACKUP_COMMANDS];

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  const lines = COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `zooid ${zooidVersion()}: a coordination service that speaks ZooKeeper's protocol

usage: zooid <command> [flags]

${lines.join("\n")}

  zooid <command> --help  says what a command does and lists its flags
  zooid --version         prints the version`;
}

function helpOf(command: Command): string {
  const operands = (command.operands ?? []).map(({ name }) => ` <${name}>`).join("");
  return `usage: zooid ${command.name}${operands} [flags]

${command.description}

${flagsText(command.flags)}`;
}

function unknownCommand(name: string): number {
  const near = nearest(
    name,
    COMMANDS.map((command) => command.name),
  );
  const suggestion = near === undefined ? "" : `; did you mean ${near}?`;
  console.error(`zooid: unknown command ${name}${suggestion}\nzooid --help lists the commands`);
  return EXIT_MISUSED;
}

export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(overview());
    return name === undefined ? EXIT_MISUSED : EXIT_OK;
  }
  if (name === "--version") {
    console.log(zooidVersion());
    return EXIT_OK;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return unknownCommand(name);
  const { values, operands, problems } = readFlags(rest, command.flags, command.operands);
  if (values.has("help")) {
    console.log(helpOf(command));
    return EXIT_OK;
  }
  if (problems.length === 0) return command.run(values, operands);
  for (const problem of problems) console.error(`zooid ${name}: ${problem}`);
  console.error(`zooid ${name} --help lists the flags`);
  return EXIT_MISUSED;
}
