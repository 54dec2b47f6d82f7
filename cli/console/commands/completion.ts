/** `zooid completion`: prints the script for a shell. */
import { EXIT_OK } from "../../command.ts";
import { SCRIPTS } from "../completion/scripts.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";

export async function run(given: Given, { output }: Context): Promise<number> {
  const shell = given.operand("shell");
  const script = SCRIPTS.get(shell);
  if (script === undefined) {
    throw new MisusedError(`"${shell}" is none of ${[...SCRIPTS.keys()].join(", ")}`);
  }
  await output.line(script);
  return EXIT_OK;
}
