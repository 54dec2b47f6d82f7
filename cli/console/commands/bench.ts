/** `zooid bench`: a short benchmark of any server that the console reaches. */
import { type Client, NodeExistsError, NoNodeError } from "../../../client/connect.ts";
import { deleteTree } from "../../../client/delete-tree.ts";
import { EXIT_FAILED, EXIT_OK, messageOf } from "../../command.ts";
import { counted, grouped } from "../../counted.ts";
import { Progress } from "../../progress.ts";
import { WORK_NAMES } from "../bench/limits.ts";
import { type Load, type Measured, measure, operationOf, prepare } from "../bench/works.ts";
import { open, type Target } from "../connection.ts";
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { type Column, tableLines } from "../table.ts";

const PATH_DEFAULT = "/zooid-bench";
const SECONDS_DEFAULT = 3;
const OUTSTANDING_DEFAULT = 64;
const VALUE_BYTES_DEFAULT = 100;
/** What the znode of a bench holds, for whoever finds one. */
const MADE_BY = "made by zooid bench, which deletes it when it ends";

const COLUMNS: readonly Column[] = [
  { name: "work", align: "left" },
  { name: "operations/s", align: "right" },
  { name: "p50 ms", align: "right" },
  { name: "p99 ms", align: "right" },
  { name: "operations", align: "right" },
  { name: "failed", align: "right" },
];

export async function run(given: Given, context: Context): Promise<number> {
  const { signal, target } = context;
  if (target === undefined) throw new Error("bench has a target");
  const root = given.value("path") ?? PATH_DEFAULT;
  const client = await context.client();
  await make(client, root, context);
  const clients: Client[] = [];
  let code: number = EXIT_FAILED;
  let isGone = false;
  try {
    const connections = given.number("connections") ?? 1;
    for (let index = 0; index < connections; index += 1) clients.push(await open(target, signal));
    code = await benched(given, context, {
      ...{ clients, root, signal },
      outstanding: given.number("outstanding") ?? OUTSTANDING_DEFAULT,
      seconds: given.number("seconds") ?? SECONDS_DEFAULT,
      value: new Uint8Array(given.number("value-bytes") ?? VALUE_BYTES_DEFAULT).fill(0x78),
    });
  } finally {
    // Their operations come to nothing, and what was made before is known when the sessions are over.
    await Promise.allSettled(clients.map((each) => each.close()));
    isGone = await removed(client, root, target, context);
  }
  return isGone ? code : EXIT_FAILED;
}

/** Refused where there is such a znode: what is there is not ours to delete. */
async function make(client: Client, root: string, { output }: Context): Promise<void> {
  try {
    await client.create(root, MADE_BY);
  } catch (error) {
    if (error instanceof NodeExistsError) {
      output.note(
        `bench deletes only what it made: --path names another znode; one that a killed bench has left is deleted by zooid deleteall ${root}`,
      );
    }
    throw error;
  }
}

async function benched(given: Given, { io, output }: Context, load: Load): Promise<number> {
  const works = [...new Set((given.value("works") ?? WORK_NAMES.join(",")).split(","))];
  const all: Measured[] = [];
  const paths = works.some((work) => work !== "create") ? await prepare(load) : [];
  for (const work of works) {
    const progress = new Progress(io.stderr);
    const show = (operations: number, seconds: number): void => {
      const time = `${seconds.toFixed(1)} of ${load.seconds} s`;
      progress.update(() => `${work}: ${counted(operations, "operation")}, ${time}`);
    };
    try {
      const measured = await measure(work, operationOf(work, load, paths), load, show);
      all.push(measured);
    } finally {
      progress.clear();
    }
  }
  if (output.isJson) for (const measured of all) await output.json(jsonOf(measured, load));
  else await output.lines(await tableLines(COLUMNS, all.map(rowOf)));
  const failed = all.filter((each) => each.failed > 0);
  for (const { work, because } of failed) output.note(`${work}: ${messageOf(because)}`);
  return failed.length === 0 ? EXIT_OK : EXIT_FAILED;
}

function rowOf(measured: Measured): readonly string[] {
  const { work, perSecond, p50Ms, p99Ms, operations, failed } = measured;
  return [
    ...[work, grouped(Math.round(perSecond)), p50Ms.toFixed(2), p99Ms.toFixed(2)],
    ...[grouped(operations), grouped(failed)],
  ];
}

function jsonOf({ because, ...measured }: Measured, load: Load): object {
  const { clients, outstanding, value } = load;
  const asked = { connections: clients.length, outstanding, valueBytes: value.length };
  return { ...measured, ...asked, ...(measured.failed > 0 ? { because: messageOf(because) } : {}) };
}

/** Also when the session that made it is over. False: it is still there, and the user was told. */
async function removed(
  client: Client,
  root: string,
  target: Target,
  { io, output }: Context,
): Promise<boolean> {
  const progress = new Progress(io.stderr);
  let deleted = 0;
  const onDeleted = (): void => {
    deleted += 1;
    progress.update(() => `deleting what was made: ${counted(deleted, "znode")}`);
  };
  try {
    await deleteTree(client, root, { onDeleted }).catch(async () => {
      await using other = await open(target, new AbortController().signal);
      await deleteTree(other, root, { onDeleted });
    });
    return true;
  } catch (error) {
    // Its answer was lost.
    if (error instanceof NoNodeError) return true;
    progress.clear();
    output.note(`${root} is still there: ${messageOf(error)}; zooid deleteall ${root} deletes it`);
    return false;
  } finally {
    progress.clear();
  }
}
