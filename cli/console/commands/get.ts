/** `zooid get`: the value of a znode. */
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { statJson, statLines } from "../stat-text.ts";
import { encoded, encodingOf, valueJson } from "../value.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, signal, inShell } = context;
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
  // A value in a pipe has no end of line of its own, which what follows needs.
  const isOpen =
    encoding === undefined && !output.isTerminal && data !== null && data.at(-1) !== NEWLINE;
  const withStat = given.has("stat");
  if (isOpen && (withStat || inShell)) await output.line("");
  if (withStat) await output.lines(statLines(stat));
  return EXIT_OK;
}

const NEWLINE = 0x0a;
const NO_DATA = new Uint8Array(0);
