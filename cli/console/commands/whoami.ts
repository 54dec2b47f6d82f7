/** `zooid whoami`: who the session is to access control lists. */
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";

export async function run(_given: Given, context: Context): Promise<number> {
  const { output, signal } = context;
  const client = await context.client();
  for (const { scheme, id } of await client.whoAmI({ signal })) {
    if (output.isJson) await output.json({ scheme, id });
    else await output.line(output.shown(`${scheme}:${id}`));
  }
  return EXIT_OK;
}
