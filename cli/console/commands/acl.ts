/** `zooid acl`: prints or replaces access control lists. */
import type { Acl, Client } from "../../../client/connect.ts";
import { NoNodeError } from "../../../client/connect.ts";
import { EXIT_OK } from "../../command.ts";
import { aclOf, aclText, entryText } from "../acl-text.ts";
import type { Context } from "../context.ts";
import { EXIT_NOT_ALLOWED } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { statJson, statLines } from "../stat-text.ts";
import { walk } from "../walk.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const entries = given.operands("entries");
  const acl = entries.length === 0 ? undefined : aclOf(entries);
  const client = await context.client();
  if (given.has("recursive")) return ofAll(client, path, acl, context);
  if (acl === undefined) await show(client, path, given, context);
  else await replace(client, path, acl, given, context);
  return EXIT_OK;
}

async function show(
  client: Client,
  path: string,
  given: Given,
  { output, signal }: Context,
): Promise<void> {
  const { acl, stat } = await client.acl(path, { signal });
  const withStat = given.has("stat");
  if (output.isJson) {
    await output.json({ path, acl: acl.map(entryText), ...(withStat && { stat: statJson(stat) }) });
    return;
  }
  await output.lines(acl.map((entry) => output.shown(entryText(entry))));
  if (withStat) await output.lines(statLines(stat));
}

async function replace(
  client: Client,
  path: string,
  acl: readonly Acl[],
  given: Given,
  { output, signal }: Context,
): Promise<void> {
  const version = given.number("version");
  const options = { signal, ...(version === undefined ? {} : { version }) };
  const stat = await client.setAcl(path, acl, options);
  if (output.isJson) await output.json({ path, acl: acl.map(entryText), stat: statJson(stat) });
  else if (given.has("stat")) await output.lines(statLines(stat));
}

/** A znode whose children may not be listed is done itself; its children are not known. */
async function ofAll(
  client: Client,
  root: string,
  acl: readonly Acl[] | undefined,
  { output, signal }: Context,
): Promise<number> {
  let refused = 0;
  for await (const { path, found, depth } of walk(client, root, { signal })) {
    if (found === undefined) {
      refused += 1;
      output.note(`${path}: its access control list does not allow to list its children`);
    }
    try {
      if (acl !== undefined) await client.setAcl(path, acl, { signal });
      const now = acl ?? (await client.acl(path, { signal })).acl;
      if (output.isJson) await output.json({ path, acl: now.map(entryText) });
      else if (acl === undefined) await output.line(output.shown(`${path}  ${aclText(now)}`));
    } catch (error) {
      // Others have deleted it meanwhile.
      if (!(error instanceof NoNodeError) || depth === 0) throw error;
    }
  }
  return refused === 0 ? EXIT_OK : EXIT_NOT_ALLOWED;
}
