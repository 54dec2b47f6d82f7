/** `zooid sync`: waits until the session sees all that was written before. */
import { formatZxid } from "../../../protocol/zxid.ts";
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.optional("path") ?? "/";
  const { output, signal } = context;
  const client = await context.client();
  await client.sync(path, { signal });
  const zxid = formatZxid(client.lastZxid);
  if (output.isJson) await output.json({ path, zxid });
  else await output.line(`synchronised up to zxid ${zxid}`);
  return EXIT_OK;
}
