/** `zooid stat`: the bookkeeping of a znode. */
import { NoNodeError } from "../../../client/connect.ts";
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { statJson, statLines } from "../stat-text.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal } = context;
  const client = await context.client();
  const { stat } = await client.exists(path, { signal });
  if (stat === undefined) throw new NoNodeError(path);
  if (output.isJson) await output.json({ path, stat: statJson(stat) });
  else await output.lines(statLines(stat));
  return EXIT_OK;
}
