/** Finds the command that the arguments name, reads its flags, and runs it. */
import { zooidVersion } from "../server/version.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, EXIT_MISUSED, EXIT_OK } from "./command.ts";
import { flagsText, readFlags } from "./flags.ts";

/** Not for people: what the scripts of `zooid completion` ask. */
const COMPLETE = "complete";

/** Loads the console's commands, which no other way through here needs. */
async function overview(): Promise<string> {
  const { SPECS } = await import("./console/specs.ts");
  const all = [...COMMANDS, ...SPECS];
  const width = Math.max(...all.map((command) => command.name.length));
  const lines = (
    commands: readonly { readonly name: string; readonly summary: string }[],
  ): string =>
    commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n");
  return `zooid ${zooidVersion()}: a coordination service that speaks ZooKeeper's protocol

usage: zooid <command> [flags]

${lines(COMMANDS)}

the console, for an ensemble of zooid or of Apache ZooKeeper (--server URL, or ZOOID_SERVER):

${lines(SPECS)}

  zooid <command> --help  says what a command does and lists its flags
  zooid --version         prints the version`;
}

function helpOf(name: string, command: Command): string {
  const operands = (command.operands ?? [])
    .map((operand) =>
      operand.byDefault === undefined ? ` <${operand.name}>` : ` [${operand.name}]`,
    )
    .join("");
  return `usage: zooid ${name}${operands} [flags]

${command.description}

${flagsText(command.flags)}`;
}

async function unknownCommand(name: string): Promise<number> {
  const { nearest } = await import("../server/config/nearest.ts");
  const { SPECS } = await import("./console/specs.ts");
  const near = nearest(
    name,
    [...COMMANDS, ...SPECS].map((command) => command.name),
  );
  const suggestion = near === undefined ? "" : `; did you mean ${near}?`;
  console.error(`zooid: unknown command ${name}${suggestion}\nzooid --help lists the commands`);
  return EXIT_MISUSED;
}

async function runConsole(name: string, args: readonly string[]): Promise<number> {
  const { specOf } = await import("./console/specs.ts");
  const spec = specOf(name);
  if (spec === undefined) return unknownCommand(name);
  const { runCommand } = await import("./console/run.ts");
  const { processIo } = await import("./console/process-io.ts");
  return runCommand(spec, args, processIo());
}

export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(await overview());
    return name === undefined ? EXIT_MISUSED : EXIT_OK;
  }
  if (name === "--version") {
    console.log(zooidVersion());
    return EXIT_OK;
  }
  if (name === COMPLETE) {
    const { complete } = await import("./console/completion/complete.ts");
    return complete(rest);
  }
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  if (entry === undefined) return runConsole(name, rest);
  const command = await entry.load();
  const { values, operands, problems } = readFlags(rest, command.flags, command.operands);
  if (values.has("help")) {
    console.log(helpOf(name, command));
    return EXIT_OK;
  }
  if (problems.length === 0) return command.run(values, operands);
  for (const problem of problems) console.error(`zooid ${name}: ${problem}`);
  console.error(`zooid ${name} --help lists the flags`);
  return EXIT_MISUSED;
}
