/** `zooid ls`: the names below a znode as a list, a table, paths or a tree; or how many there are. */
import type { Client, Stat } from "../../../client/connect.ts";
import { childOf, nameOf } from "../../../protocol/paths.ts";
import { EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { EXIT_NOT_ALLOWED } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { counted } from "../../counted.ts";
import { statJson, statLines, timeText } from "../stat-text.ts";
import { type Column, tableLines } from "../table.ts";
import { readChildren, walk, type Walked } from "../walk.ts";

/** How many Stats are asked for at a time. */
const AT_ONCE = 64;

const COLUMNS: readonly Column[] = [
  { name: "children", align: "right" },
  { name: "bytes", align: "right" },
  { name: "version", align: "right" },
  { name: "modified", align: "left" },
  { name: "owner", align: "left" },
  { name: "name", align: "left" },
];

export async function run(given: Given, context: Context): Promise<number> {
  const path = given.optional("path") ?? "/";
  const client = await context.client();
  if (given.has("recursive") || given.has("tree")) return listTree(client, path, given, context);
  return listChildren(client, path, given, context);
}

async function listChildren(
  client: Client,
  path: string,
  given: Given,
  { output, signal }: Context,
): Promise<number> {
  if (given.has("count")) {
    const { stat } = await client.children(path, { signal });
    if (output.isJson) await output.json({ path, children: stat.numChildren });
    else await output.line(String(stat.numChildren));
    return EXIT_OK;
  }
  const { children, stat } = await readChildren(client, path, signal);
  const isLong = given.has("long");
  const stats = isLong ? await statsOf(client, path, children, signal) : undefined;
  const isThere = (name: string): boolean => stats?.has(name) ?? true;
  const names = children.filter(isThere);
  if (output.isJson) {
    if (given.has("stat")) await output.json({ path, stat: statJson(stat) });
    for (const name of names) {
      const of = stats?.get(name);
      await output.json({ path: childOf(path, name), ...(of && { stat: statJson(of) }) });
    }
    return EXIT_OK;
  }
  if (stats === undefined) await output.lines(names.map((name) => output.shown(name)));
  else await output.lines(await longLines(names, stats, (name) => output.shown(name)));
  if (given.has("stat")) await output.lines(statLines(stat));
  return EXIT_OK;
}

/** Without children that are gone by now. */
async function statsOf(
  client: Client,
  path: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Stat>> {
  const stats = new Map<string, Stat>();
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE);
    const found = await Promise.all(
      some.map((name) => client.exists(childOf(path, name), { signal })),
    );
    for (const [index, { stat }] of found.entries()) {
      const name = some[index];
      if (stat !== undefined && name !== undefined) stats.set(name, stat);
    }
  }
  return stats;
}

async function longLines(
  names: readonly string[],
  stats: ReadonlyMap<string, Stat>,
  shown: (name: string) => string,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const rows = names.flatMap((name) => {
    const stat = stats.get(name);
    return stat === undefined ? [] : [[...cellsOf(stat), shown(name)]];
  });
  return tableLines(COLUMNS, rows);
}

function cellsOf(stat: Stat): readonly string[] {
  const { numChildren, dataLength, version, mtime, ephemeralOwner } = stat;
  const owner = ephemeralOwner === 0 ? "-" : `0x${ephemeralOwner.toString(16)}`;
  return [String(numChildren), String(dataLength), String(version), timeText(mtime), owner];
}

type Lister = {
  readonly take: (walked: Walked) => Promise<void>;
  readonly end: (znodes: number) => Promise<void>;
};

async function listTree(
  client: Client,
  path: string,
  given: Given,
  context: Context,
): Promise<number> {
  const lister = listerOf(path, given, context);
  const { signal, output } = context;
  let znodes = 0;
  let refused = 0;
  for await (const walked of walk(client, path, { signal, depthMax: given.number("depth") })) {
    znodes += 1;
    if (walked.found === undefined) {
      refused += 1;
      output.note(`${walked.path}: its access control list does not allow to list its children`);
    }
    await lister.take(walked);
  }
  await lister.end(znodes);
  return refused === 0 ? EXIT_OK : EXIT_NOT_ALLOWED;
}

function listerOf(root: string, given: Given, { output }: Context): Lister {
  const nothing = (): Promise<void> => Promise.resolve();
  if (given.has("count")) {
    return {
      take: nothing,
      // The znode itself is not below it.
      end: async (znodes) => {
        if (output.isJson) await output.json({ path: root, below: znodes - 1 });
        else await output.line(String(znodes - 1));
      },
    };
  }
  if (output.isJson) {
    return {
      take: ({ path, found }) => output.json({ path, stat: found && statJson(found.stat) }),
      end: nothing,
    };
  }
  if (given.has("tree")) {
    return {
      take: (walked) => output.line(output.shown(branchOf(walked))),
      end: (znodes) => output.lines(["", counted(znodes, "znode")]),
    };
  }
  return { take: ({ path }) => output.line(output.shown(path)), end: nothing };
}

/** A line of the tree: `│   ├── name (3)`. */
function branchOf({ path, depth, lasts, found }: Walked): string {
  const children = found?.stat.numChildren ?? 0;
  const count = children === 0 ? "" : ` (${children})`;
  if (depth === 0) return `${path}${count}`;
  const above = lasts.slice(0, -1).map((isLast) => (isLast ? "    " : "│   "));
  const own = lasts.at(-1) === true ? "└── " : "├── ";
  return `${above.join("")}${own}${nameOf(path)}${count}`;
}
