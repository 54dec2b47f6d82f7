/** Reads a node's whole tree through a client, with every field of every stat, and compares the trees of nodes. */
import { createHash } from "node:crypto";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { type Stat, sync } from "../support/zookeeper-client/operations.ts";
import { readChildren, readData } from "./requests.ts";

export type TreeNode = { readonly path: string; readonly data: string; readonly stat: Stat };
export type Tree = ReadonlyMap<string, TreeNode>;

const PIPELINE = 500;
const SHOWN = 5;

type Address = { readonly host: string; readonly port: number };

/** From this path down, after a sync, so that the node is not behind. Rejects if the connection is lost. */
export async function readTree(address: Address, from = "/"): Promise<Tree> {
  const client = await ZkClient.connect({ ...address, timeoutMs: 20_000, connectMsMax: 5000 });
  try {
    await client.request(sync("/"));
    const tree = new Map<string, TreeNode>();
    let level: readonly string[] = [from];
    while (level.length > 0) level = await readLevel(client, level, tree);
    return tree;
  } finally {
    await client.close();
  }
}

/** Puts these nodes into the tree; the paths of their children are returned. */
async function readLevel(
  client: ZkClient,
  paths: readonly string[],
  tree: Map<string, TreeNode>,
): Promise<readonly string[]> {
  const children: string[] = [];
  for (let from = 0; from < paths.length; from += PIPELINE) {
    const part = paths.slice(from, from + PIPELINE);
    await client.pipeline(
      part.map((path) => readData(path, false, (body) => void tree.set(path, { path, ...body }))),
    );
    const parents = part.filter((path) => (tree.get(path)?.stat.numChildren ?? 0) > 0);
    await client.pipeline(
      parents.map((path) =>
        readChildren(path, (names) => {
          const prefix = path === "/" ? "/" : `${path}/`;
          for (const name of names) children.push(prefix + name);
        }),
      ),
    );
    client.received.length = 0;
  }
  return children;
}

function lineOf({ path, data, stat }: TreeNode): string {
  return [path, JSON.stringify(data), ...Object.values(stat).map(String)].join(" ");
}

/** Equal exactly for equal trees. */
export function digestOf(tree: Tree): string {
  const hash = createHash("sha256");
  for (const path of [...tree.keys()].sort()) {
    const node = tree.get(path);
    if (node !== undefined) hash.update(`${lineOf(node)}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The first differences in words; none for equal trees. */
export function differences(one: Tree, other: Tree): readonly string[] {
  const found: string[] = [];
  for (const path of new Set([...one.keys(), ...other.keys()])) {
    const [left, right] = [one.get(path), other.get(path)].map((node) =>
      node === undefined ? `${path} is missing` : lineOf(node),
    );
    if (left !== right) found.push(`${left} / ${right}`);
    if (found.length >= SHOWN) break;
  }
  return found;
}
