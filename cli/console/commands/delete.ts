/** `zooid delete`: deletes a znode that has no children. */
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal } = context;
  const version = given.number("version");
  const client = await context.client();
  await client.delete(path, { signal, ...(version === undefined ? {} : { version }) });
  if (output.isJson) await output.json({ path, deleted: 1 });
  return EXIT_OK;
}
