/** `zooid diff`: what has become of the tree between two zxids. */
import { EXIT_OK } from "../../command.ts";
import { type Json, pastSourceOf } from "../../history/source.ts";
import { differenceLine } from "../../history/text.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { zxidOf } from "./at.ts";

export async function run(given: Given, { output }: Context): Promise<number> {
  const [from, to] = [zxidOf(given, "from"), zxidOf(given, "to")];
  const path = given.optional("path") ?? "/";
  const source = await pastSourceOf(given);
  for (let after: string | null = ""; after !== null; ) {
    const of = { from, to, path, after, limit: source.pageMax };
    const page: Json = await source.ask({ kind: "diff", ...of });
    for (const difference of page["changes"] as readonly Json[]) {
      if (output.isJson) await output.json(difference);
      else await output.line(output.shown(differenceLine(difference)));
    }
    after = page["next"] as string | null;
  }
  return EXIT_OK;
}
