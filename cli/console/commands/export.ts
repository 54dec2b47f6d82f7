/** `zooid export`: writes a subtree as JSON lines. */
import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { type Client, NoAuthError, NoNodeError, type Stat } from "../../../client/connect.ts";
import { isZooKeeperUrl } from "../../../client/zookeeper/url.ts";
import { EXIT_OK } from "../../command.ts";
import { Printer } from "../../printer.ts";
import type { Context } from "../context.ts";
import { EXIT_NOT_ALLOWED } from "../exit-codes.ts";
import { headerJson, type ExportedZnode, znodeJson } from "../export-format.ts";
import type { Given } from "../given.ts";
import { counted } from "../../counted.ts";
import { Progress } from "../../progress.ts";
import { walk } from "../walk.ts";

/** How many znodes are read at a time. */
const AT_ONCE = 64;
/** ZooKeeper's own znodes: quotas and the configuration. */
const OWN_NAME = "zookeeper";

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.operand("path");
  const client = await context.client();
  const file = given.value("output");
  const target = file === undefined ? undefined : await fileAt(file);
  const printer = new Printer(target ?? context.io.stdout);
  try {
    return await exported(client, path, given, context, (line) => printer.print([line]));
  } finally {
    if (target !== undefined) await closed(target);
  }
}

async function exported(
  client: Client,
  root: string,
  given: Given,
  { io, output, signal, target }: Context,
  print: (line: string) => Promise<void>,
): Promise<number> {
  const progress = new Progress(io.stderr);
  const wish: Wish = {
    withAcl: !given.has("without-acl"),
    withLifetime: !isZooKeeperUrl(target?.url ?? ""),
  };
  let znodes = 0;
  let refused = 0;
  const take = async (reads: readonly Promise<Reading>[]): Promise<void> => {
    for (const { path, znode, isGone } of await Promise.all(reads)) {
      if (znode === undefined) {
        if (isGone) continue;
        refused += 1;
        progress.clear();
        output.note(`${path}: its access control list does not allow to read it`);
      } else if (!znode.ephemeral || given.has("ephemeral")) {
        znodes += 1;
        await print(JSON.stringify(znodeJson(znode)));
        progress.update(() => `exporting: ${counted(znodes, "znode")}`);
      }
    }
  };
  try {
    await print(JSON.stringify(headerJson(root)));
    const without = root === "/" ? [OWN_NAME] : [];
    let reads: Promise<Reading>[] = [];
    for await (const { path } of walk(client, root, { signal, without })) {
      reads.push(readingOf(client, path, wish, signal));
      if (reads.length < AT_ONCE) continue;
      await take(reads);
      reads = [];
    }
    await take(reads);
  } finally {
    progress.clear();
  }
  output.note(`${counted(znodes, "znode")} exported`);
  return refused === 0 ? EXIT_OK : EXIT_NOT_ALLOWED;
}

/** Both are told by the same request; that a znode is a container, or has a time to live, over NATS only. */
type Wish = { readonly withAcl: boolean; readonly withLifetime: boolean };

type Reading = {
  readonly path: string;
  readonly znode: ExportedZnode | undefined;
  readonly isGone: boolean;
};

/** It is handled where it is waited for, with those that were asked together with it. */
function readingOf(
  client: Client,
  path: string,
  wish: Wish,
  signal: AbortSignal,
): Promise<Reading> {
  const reading = read(client, path, wish, signal);
  reading.catch(() => undefined);
  return reading;
}

async function read(
  client: Client,
  path: string,
  { withAcl, withLifetime }: Wish,
  signal: AbortSignal,
): Promise<Reading> {
  try {
    const [{ data, stat }, acl] = await Promise.all([
      client.get(path, { signal }),
      withAcl || withLifetime ? client.acl(path, { signal }) : undefined,
    ]);
    const { container = false, ttlMs } = acl ?? {};
    const list = withAcl ? acl?.acl : undefined;
    const znode = { path, data, acl: list, ephemeral: isOwned(stat), container, ttlMs };
    return { path, isGone: false, znode };
  } catch (error) {
    if (error instanceof NoNodeError) return { path, isGone: true, znode: undefined };
    if (error instanceof NoAuthError) return { path, isGone: false, znode: undefined };
    throw error;
  }
}

function isOwned({ ephemeralOwner }: Stat): boolean {
  return ephemeralOwner !== 0;
}

/** Only this user may read it: it has what access control lists hide from others. */
async function fileAt(path: string): Promise<WriteStream> {
  const stream = createWriteStream(path, { mode: 0o600 });
  await once(stream, "open");
  return stream;
}

/** What went wrong in writing was told where it was written. */
async function closed(stream: WriteStream): Promise<void> {
  const closing = finished(stream).catch(() => undefined);
  stream.end();
  await closing;
}
