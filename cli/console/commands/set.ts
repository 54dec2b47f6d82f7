/** `zooid set`: replaces the value of a znode. */
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { statJson, statLines } from "../stat-text.ts";
import { valueOf } from "../value.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal } = context;
  const data = await valueOf(given, context);
  if (data === undefined) {
    throw new MisusedError("the value is missing: as text, as - for standard input, or as --file");
  }
  const client = await context.client();
  const version = given.number("version");
  const stat = given.has("create")
    ? (await client.put(path, data, { signal })).stat
    : await client.set(path, data, { signal, ...(version === undefined ? {} : { version }) });
  if (output.isJson) await output.json({ path, stat: statJson(stat) });
  else if (given.has("stat")) await output.lines(statLines(stat));
  return EXIT_OK;
}
