/** `zooid find`: the znodes whose path is like a pattern, or whose value has something. */
import { EXIT_OK } from "../../command.ts";
import { type Json, pastSourceOf } from "../../history/source.ts";
import { zxidIn } from "../../../server/admin/api/json.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";

export async function run(given: Given, { output }: Context): Promise<number> {
  const path = given.optional("path") ?? "/";
  const [pattern, text, hex] = [given.value("pattern"), given.value("value"), given.value("hex")];
  if (pattern === undefined && text === undefined && hex === undefined) {
    throw new MisusedError("say what to find: --pattern '/app/**/limits', --value TEXT, or both");
  }
  const value = text === undefined ? hex : Buffer.from(text).toString("hex");
  const at = given.value("at");
  const zxid = at === undefined ? undefined : zxidIn(at);
  const source = await pastSourceOf(given);
  for (let after: string | null = ""; after !== null; ) {
    const of = { path, pattern, value, zxid, after, limit: source.pageMax };
    const page: Json = await source.ask({ kind: "find", ...of });
    for (const found of page["found"] as readonly Json[]) {
      if (output.isJson) await output.json(found);
      else await output.line(output.shown(lineOf(found)));
    }
    after = page["next"] as string | null;
  }
  return EXIT_OK;
}

function lineOf({ path, excerpt }: Json): string {
  return excerpt === undefined ? String(path) : `${String(path)} ${JSON.stringify(excerpt)}`;
}
