/** After everything has healed: the ensemble comes together, all nodes hold the same tree, and it is what clients were told. */
import type { Ensemble } from "./ensemble.ts";
import { bulkToken } from "./bulk-load.ts";
import { BULK, type History, LIVE, LOGS, REGISTERS, ROOT } from "./history.ts";
import type { Load } from "./load.ts";
import { pause } from "./pause.ts";
import type { Subscribers } from "./subscribers.ts";
import { isBelow, narrowStat, type TreeEntry } from "./truth.ts";
import { differences, digestOf, readTree, type Tree } from "./tree-walk.ts";

export type FinalOptions = {
  readonly ensemble: Ensemble;
  readonly history: History;
  readonly load: Load;
  readonly subscribers: Subscribers | undefined;
  readonly note: (text: string) => void;
  /** Ends the checks early, without a result. */
  readonly signal: AbortSignal;
};

const CATCH_UP_MS_MAX = 60_000;
const LAST_LOAD_MS = 2000;
const EXPIRY_POLL_MS = 500;
const READ_TREE_TRIES = 3;

/** The digest of each node's tree. */
export async function finalChecks(options: FinalOptions): Promise<ReadonlyMap<string, string>> {
  const { ensemble, history, load, note, signal } = options;
  note("healed; waiting for all nodes");
  for (const index of ensemble.indexes) {
    await ensemble.serves(index).catch((error: unknown) => {
      history.violations.add("convergence", String(error));
    });
  }
  // Load without faults, so that every client and the stream see the end of all that happened.
  await pause(LAST_LOAD_MS, signal);
  load.idle();
  note("waiting for abandoned sessions to expire");
  await expire(options);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CATCH_UP_MS_MAX)]);
  const caughtUp = await load.native.caughtUp(limit);
  if (signal.aborted) return new Map();
  if (!caughtUp) history.violations.add("stream", "the change stream does not catch up");
  if (options.subscribers !== undefined) note(await options.subscribers.finish(signal));
  note("reading the trees");
  const trees = await readTrees(options);
  const digests = new Map([...trees].map(([name, tree]) => [name, digestOf(tree)]));
  compare(trees, digests, history);
  for (const [name, digest] of digests) note(`${name}: digest ${digest}`);
  for (const [name, tree] of trees) {
    checkTree(name, tree, history);
    load.native.truth.checkTree(name, belowRoot(tree));
  }
  history.registers.checkOrder();
  const first = trees.values().next().value;
  if (first !== undefined) checkStream(first, load);
  await load.close();
  return digests;
}

/** A new leader gives each session its full timeout again, and where this machine stands still a leader may be given up without a fault. */
async function expire({ ensemble, history, load, signal }: FinalOptions): Promise<void> {
  const untilMs = performance.now() + load.sessionTimeoutMs * 1.5 + CATCH_UP_MS_MAX;
  while (performance.now() < untilMs && !signal.aborted) {
    const live = await readTree(ensemble.address(0), LIVE).catch(() => undefined);
    const owners = [...(live?.values() ?? [])].map(({ stat }) => stat.ephemeralOwner);
    const left = owners.some((owner) => history.ephemerals.isAbandoned(owner));
    if (live !== undefined && !left) return;
    await pause(EXPIRY_POLL_MS, signal);
  }
}

async function readTrees({ ensemble, history }: FinalOptions): Promise<ReadonlyMap<string, Tree>> {
  const trees = new Map<string, Tree>();
  for (const index of ensemble.indexes) {
    const name = `node ${index + 1}`;
    for (let tried = 1; tried <= READ_TREE_TRIES && !trees.has(name); tried += 1) {
      try {
        trees.set(name, await readTree(ensemble.address(index)));
      } catch (error) {
        history.violations.add("convergence", `${name} cannot be read: ${String(error)}`);
      }
    }
  }
  return trees;
}

function compare(
  trees: ReadonlyMap<string, Tree>,
  digests: ReadonlyMap<string, string>,
  history: History,
): void {
  const [first, ...others] = [...trees];
  if (first === undefined) return;
  for (const [name, tree] of others) {
    if (digests.get(name) === digests.get(first[0])) continue;
    const shown = differences(first[1], tree).join("; ");
    history.violations.add("trees-differ", `${first[0]} and ${name}: ${shown}`);
  }
}

function checkTree(name: string, tree: Tree, history: History): void {
  const all = [...tree.values()];
  const inFolders = all.filter(({ path }) => path.startsWith(`${LOGS}-`) && /\/n-\d+$/.test(path));
  history.sequences.final(
    name,
    inFolders.map(({ path, data, stat }) => ({ path, data, czxid: stat.czxid })),
  );
  const live = all.filter(({ path }) => path.startsWith(`${LIVE}/`));
  history.ephemerals.final(
    name,
    live.map(({ path, stat }) => ({ path, owner: stat.ephemeralOwner })),
  );
  for (const path of [...REGISTERS, BULK]) {
    const node = tree.get(path);
    if (node === undefined) history.violations.add("lost-write", `${name}: ${path} is not there`);
    else {
      const { version, mzxid } = node.stat;
      history.registers.final(name, { path, version, token: bulkToken(node.data), mzxid });
    }
  }
}

/** The root first, as it was read first. */
function belowRoot(tree: Tree): readonly TreeEntry[] {
  const below = [...tree.values()].filter(({ path }) => isBelow(path, ROOT));
  return below.map(({ path, data, stat }) => ({ path, data, stat: narrowStat(stat) }));
}

function checkStream(tree: Tree, load: Load): void {
  load.native.stream.final(
    belowRoot(tree).map(({ path, stat }) => ({
      path,
      version: stat.version,
      czxid: stat.czxid,
    })),
  );
}
