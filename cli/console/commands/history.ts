/** `zooid history`: the changes of a znode, page after page. */
import { placeIn } from "../../../server/history/questions.ts";
import { EXIT_OK } from "../../command.ts";
import { type Json, pastSourceOf } from "../../history/source.ts";
import { changeLine } from "../../history/text.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";

const LIMIT_DEFAULT = 100;

export async function run(given: Given, { output }: Context): Promise<number> {
  const path = given.operand("path");
  const recursive = given.has("recursive");
  const order = given.has("oldest") ? "oldest" : "newest";
  const [from, to] = [given.zxid("from"), given.zxid("to")];
  const source = await pastSourceOf(given);
  let left = given.number("limit") ?? LIMIT_DEFAULT;
  let next: string | undefined;
  for (;;) {
    const limit = Math.min(left, source.pageMax);
    const after = next === undefined ? undefined : placeIn(next);
    const page = await source.ask({
      ...{ kind: "history", path, recursive, order, from, to, limit, after },
    });
    const changes = page["changes"] as readonly Json[];
    for (const change of changes) {
      if (output.isJson) await output.json(change);
      else await output.line(output.shown(changeLine(change)));
    }
    left -= changes.length;
    next = (page["next"] as string | null) ?? undefined;
    if (next !== undefined && left > 0) continue;
    const { from: begin } = page["known"] as { readonly from: string };
    if (next !== undefined) output.note("there are more: --limit N shows so many");
    else output.note(`what is kept begins at ${begin}`);
    return EXIT_OK;
  }
}
