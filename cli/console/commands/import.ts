/** `zooid import`: creates the znodes of an export. */
import { createReadStream } from "node:fs";
import { type Client, NodeExistsError } from "../../../client/connect.ts";
import { EXIT_OK, messageOf } from "../../command.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import { type ExportedZnode, movedPath, rootOf, znodeOf } from "../export-format.ts";
import type { Given } from "../given.ts";
import { linesOf } from "../lines.ts";
import { counted } from "../../counted.ts";
import { Progress } from "../../progress.ts";
import { stdinOf } from "../value.ts";

/** How many znodes are under way at a time. A session's writes are done in order, so a child comes after its parent. */
const AT_ONCE = 64;

type Counts = { created: number; replaced: number; skipped: number; ephemeral: number };
type Done = keyof Counts;

export async function run(given: Given, context: Context): Promise<number> {
  const { io, output } = context;
  const counts: Counts = { created: 0, replaced: 0, skipped: 0, ephemeral: 0 };
  const progress = new Progress(io.stderr);
  try {
    await imported(given, context, (done) => {
      counts[done] += 1;
      progress.update(() => `importing: ${counted(counts.created + counts.replaced, "znode")}`);
    });
  } catch (error) {
    progress.clear();
    const before = counts.created + counts.replaced;
    if (before > 0) output.note(`${counted(before, "znode")} had been written before it failed`);
    throw error;
  }
  progress.clear();
  if (output.isJson) await output.json(counts);
  else await output.line(textOf(counts, given.has("dry-run")));
  return EXIT_OK;
}

async function imported(given: Given, context: Context, tell: (done: Done) => void): Promise<void> {
  const client = given.has("dry-run") ? undefined : await context.client();
  let root: string | undefined;
  let number = 0;
  let underWay: Promise<Done>[] = [];
  const settle = async (): Promise<void> => {
    for (const each of underWay) tell(await each);
    underWay = [];
  };
  for await (const line of linesOf(sourceOf(given, context))) {
    number += 1;
    if (line === "") continue;
    if (root === undefined) {
      root = rootOf(line);
      continue;
    }
    const znode = znodeOf(line, number, root);
    const path = movedPath(znode.path, root, given.optional("path") ?? root);
    const isRoot = znode.path === root;
    const writing = written(client, { ...znode, path }, { isRoot, given, signal: context.signal });
    writing.catch(() => undefined);
    underWay.push(writing);
    // Nothing can be below the root before it is there.
    if (isRoot || underWay.length >= AT_ONCE) await settle();
  }
  await settle();
  if (root === undefined) throw new MisusedError("the export is empty");
}

type Writing = { readonly isRoot: boolean; readonly given: Given; readonly signal: AbortSignal };

async function written(
  client: Client | undefined,
  { path, data, acl, ephemeral, container, ttlMs }: ExportedZnode,
  { isRoot, given, signal }: Writing,
): Promise<Done> {
  if (ephemeral) return "ephemeral";
  if (client === undefined) return "created";
  const existing = given.value("existing") ?? "fail";
  const list = given.has("without-acl") || acl === undefined ? {} : { acl };
  // The root of the tree is always there.
  if (path === "/" && existing === "fail") return "skipped";
  try {
    const ifNotExists = existing === "skip";
    const end = ttlMs === undefined ? { container } : { ttlMs };
    const options = { ...list, ...end, parents: isRoot, ifNotExists, signal };
    const { created } = await client.create(path, data, options);
    return created ? "created" : "skipped";
  } catch (error) {
    if (!(error instanceof NodeExistsError) || existing !== "replace") throw error;
  }
  await client.set(path, data, { signal });
  if (list.acl !== undefined) await client.setAcl(path, list.acl, { signal });
  return "replaced";
}

async function* sourceOf(
  given: Given,
  context: Context,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  const file = given.value("file");
  if (file === undefined) {
    yield* stdinOf(context);
    return;
  }
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw new MisusedError(`--file: ${messageOf(error)}`, { cause: error });
  }
}

function textOf({ created, replaced, skipped, ephemeral }: Counts, isDryRun: boolean): string {
  const all = [
    `${counted(created, "znode")} ${isDryRun ? "would be created" : "created"}`,
    ...(replaced === 0 ? [] : [`${replaced} replaced`]),
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
    ...(ephemeral === 0 ? [] : [`${ephemeral} ephemeral left out`]),
  ];
  return all.join(", ");
}
