/** A lane's tree against the model: one znode, or everything. */
import { digestOf } from "../../support/tree-digest.ts";
import type { TreeState } from "../../../actors/tree/tree.ts";
import { parentOf } from "../../../protocol/paths.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Model } from "./model.ts";
import { shown, statProblem } from "./replies.ts";
import { sameBytes } from "./truth.ts";
import { must } from "./violation.ts";

/** How the znode at the path differs from the model's at the zxid. */
export function treeProblemAt(
  tree: TreeState,
  model: Model,
  path: string,
  zxid: Zxid,
): string | undefined {
  const { znodes } = tree;
  const node = znodes.find(path);
  const moment = model.at(path, zxid);
  if (moment?.stat === undefined) return node === undefined ? undefined : "it should not be there";
  if (node === undefined) return "it is missing";
  const data = znodes.data(node);
  if (!sameBytes(data, moment.data)) return `data ${shown(data)}, not ${shown(moment.data)}`;
  const lifetime = znodes.lifetimes.get(node);
  if (lifetime !== moment.lifetime) return `lifetime ${lifetime}, not ${moment.lifetime}`;
  return statProblem(znodes.stat(node), moment.stat);
}

type Nodes = readonly {
  readonly id: number;
  readonly tree: (lane: number) => TreeState | undefined;
}[];

/** Every lane of every node holds the whole truth. */
export function compareWhole(nodes: Nodes, lanes: number, model: Model): void {
  let digest: string | undefined;
  for (const node of nodes) {
    for (let lane = 1; lane <= lanes; lane += 1) {
      const tree = node.tree(lane);
      if (tree === undefined) continue;
      const who = `lane ${lane} of node ${node.id}`;
      const problem = treeProblem(tree, model);
      must(problem === undefined, "I4 equal trees", () => `${who} at the end: ${problem}`);
      const own = digestOf(tree);
      const same = digest === undefined || own === digest;
      must(same, "I4 equal trees", () => `${who}: another digest`);
      digest = own;
    }
  }
}

/** Returns how many znodes have children that do not stand in the same order everywhere, which nobody may notice. */
export function otherOrders(nodes: Nodes, lanes: number, model: Model): number {
  const orders = new Map<string, string>();
  const others = new Set<string>();
  for (const node of nodes) {
    for (let lane = 1; lane <= lanes; lane += 1) {
      const znodes = node.tree(lane)?.znodes;
      for (const path of model.paths) {
        const znode = znodes?.find(path);
        if (znodes === undefined || znode === undefined) continue;
        const order = znodes.children(znode).join("/");
        if (order !== (orders.get(path) ?? order)) others.add(path);
        orders.set(path, order);
      }
    }
  }
  return others.size;
}

/** What is counted below each znode is what there is. */
function countsProblem({ znodes, lastApplied }: TreeState, model: Model): string | undefined {
  const below = new Map<string, { count: number; bytes: number }>();
  for (const path of model.paths) {
    const stat = model.at(path, lastApplied)?.stat;
    for (let at = path; stat !== undefined && at !== "/"; ) {
      at = parentOf(at);
      const counts = below.get(at) ?? { count: 0, bytes: 0 };
      below.set(at, { count: counts.count + 1, bytes: counts.bytes + stat.dataLength });
    }
  }
  for (const path of model.paths) {
    const znode = znodes.find(path);
    if (znode === undefined) continue;
    const { count, bytes } = below.get(path) ?? { count: 0, bytes: 0 };
    const [ownCount, ownBytes] = [znodes.below.count(znode), znodes.below.bytes(znode)];
    if (ownCount !== count || ownBytes !== bytes) {
      return `${ownCount} znodes of ${ownBytes} bytes below ${path}, not ${count} of ${bytes}`;
    }
  }
  return undefined;
}

/** How the tree, which has applied everything, differs from the model. */
function treeProblem(tree: TreeState, model: Model): string | undefined {
  let count = 0;
  for (const path of model.paths) {
    const problem = treeProblemAt(tree, model, path, tree.lastApplied);
    if (problem !== undefined) return `${path}: ${problem}`;
    if (tree.znodes.find(path) !== undefined) count += 1;
  }
  if (count !== tree.znodes.size) return `${tree.znodes.size} znodes, not ${count}`;
  const counts = countsProblem(tree, model);
  if (counts !== undefined) return counts;
  for (const [id, session] of tree.sessions) {
    const known = model.sessions.get(id);
    const name = `session 0x${id.toString(16)}`;
    if (known === undefined) return `${name} should have ended`;
    if (known.attachedAt !== session.attachedAt) return `${name} is attached at another zxid`;
    const { last = 0 } = session.requests ?? {};
    if (last !== known.lastNumber) return `${name} has done write ${last}, not ${known.lastNumber}`;
    const own = [...(session.ephemerals ?? [])].map((znode) => tree.znodes.path(znode));
    const same =
      own.length === known.ephemerals.size && own.every((path) => known.ephemerals.has(path));
    if (!same) return `${name} has other ephemerals`;
  }
  if (tree.sessions.size !== model.sessions.size) {
    return `${tree.sessions.size} sessions, not ${model.sessions.size}`;
  }
  return undefined;
}
