/** `zooid deleteall`: counts a subtree, asks, and deletes it. */
import type { Client } from "../../../client/connect.ts";
import { deleteTree } from "../../../client/delete-tree.ts";
import { EXIT_FAILED, EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { counted, grouped } from "../../counted.ts";
import { Progress } from "../../progress.ts";
import { walk } from "../walk.ts";

type Counts = { readonly znodes: number; readonly ephemerals: number };

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const { output, confirm } = context;
  const isDryRun = given.has("dry-run");
  if (path === "/") throw new MisusedError("the root stays: delete what is below it, one by one");
  if (!isDryRun && !given.has("yes") && confirm === undefined) {
    throw new MisusedError("there is no terminal to ask on: --yes deletes without asking");
  }
  const client = await context.client();
  const counts = await countsOf(client, path, context);
  if (isDryRun) {
    if (output.isJson) await output.json({ path, ...counts });
    else await output.line(`${output.shown(path)}: ${textOf(counts)}`);
    return EXIT_OK;
  }
  if (!given.has("yes")) {
    const isWanted = await confirm?.(`delete ${path} with all below it, ${textOf(counts)}?`);
    if (isWanted !== true) {
      output.note("nothing was deleted");
      return EXIT_FAILED;
    }
  }
  const deleted = await deleteAll(client, path, counts, context);
  if (output.isJson) await output.json({ path, deleted });
  else await output.line(`${output.shown(path)}: ${counted(deleted, "znode")} deleted`);
  return EXIT_OK;
}

async function countsOf(client: Client, path: string, { io, signal }: Context): Promise<Counts> {
  const progress = new Progress(io.stderr);
  let znodes = 0;
  let ephemerals = 0;
  try {
    for await (const { found } of walk(client, path, { signal })) {
      znodes += 1;
      if (found !== undefined && found.stat.ephemeralOwner !== 0) ephemerals += 1;
      progress.update(() => `counting: ${counted(znodes, "znode")}`);
    }
  } finally {
    progress.clear();
  }
  return { znodes, ephemerals };
}

/** Returns how many were deleted; those that others have deleted meanwhile are not known to it, and counted. */
async function deleteAll(
  client: Client,
  path: string,
  { znodes }: Counts,
  { io, signal }: Context,
): Promise<number> {
  const progress = new Progress(io.stderr);
  let deleted = 0;
  try {
    await deleteTree(client, path, {
      signal,
      onDeleted: () => {
        deleted += 1;
        progress.update(() => `deleting: ${grouped(deleted)} of ${grouped(znodes)}`);
      },
    });
  } finally {
    progress.clear();
  }
  // All at once: nothing was told one by one.
  return deleted === 0 ? znodes : deleted;
}

function textOf({ znodes, ephemerals }: Counts): string {
  const some = ephemerals === 0 ? "" : `, ${grouped(ephemerals)} of them ephemeral`;
  return `${counted(znodes, "znode")}${some}`;
}
