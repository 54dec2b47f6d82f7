/** `zooid get`: the value of a znode. */
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { statJson, statLines } from "../stat-text.ts";
import { encoded, encodingOf, valueJson } from "../value.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal } = context;
  const client = await context.client();
  const consistency = given.has("linearizable") ? "linearizable" : "session";
  const { data, stat } = await client.get(path, { signal, consistency });
  const encoding = encodingOf(given);
  if (output.isJson) {
    const bookkeeping = given.has("stat") ? { stat: statJson(stat) } : {};
    await output.json({ path, ...valueJson(data, encoding), ...bookkeeping });
    return EXIT_OK;
  }
  if (encoding !== undefined) await output.line(encoded(data ?? NO_DATA, encoding));
  else if (data !== null) await output.data(data);
  if (given.has("stat")) {
    // A value in a pipe has no end of line of its own.
    const isOpen =
      encoding === undefined && !output.isTerminal && data !== null && data.at(-1) !== 0x0a;
    await output.lines([...(isOpen ? [""] : []), ...statLines(stat)]);
  }
  return EXIT_OK;
}

const NO_DATA = new Uint8Array(0);
