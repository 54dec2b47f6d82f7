/** One seed: a phase with faults, then everything heals and the ensemble must converge. */
import { digestOf } from "../../actors/tree/digest.ts";
import { Cluster, type SimNode } from "./cluster.ts";
import { Violation } from "./checker.ts";

export type SimResult = {
  readonly acknowledged: number;
  readonly crashes: number;
  readonly partitions: number;
  readonly epochs: number;
  readonly virtualMs: number;
};

/** After all faults end, and with all nodes up, the trees must be equal within this time. */
const CONVERGENCE_MS = 20_000;

/** Throws an error whose message ends with the last events. */
export function simulate(seed: number): SimResult {
  const sizes = [1, 2, 3, 3, 3, 5] as const;
  const nodes = sizes[seed % sizes.length] ?? 3;
  const slow = seed % 4 === 0;
  const cluster = new Cluster({
    seed,
    nodes,
    diskMs: { min: 0.05, max: slow ? 20 : 2 },
    clientsPerNode: 2,
    sessionTimeoutMs: 4000,
  });
  try {
    return runPhases(cluster);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const report = [`seed ${seed}: ${message}`, ...cluster.trace.slice(-60)].join("\n");
    throw new Error(report, { cause: error });
  }
}

function runPhases(cluster: Cluster): SimResult {
  const { network, random } = cluster;
  const counts = { crashes: 0, partitions: 0 };
  for (const node of cluster.nodes) cluster.start(node);
  network.setFaults({
    lossRate: random.random() < 0.5 ? random.random() * 0.2 : 0,
    duplicationRate: random.random() < 0.5 ? random.random() * 0.3 : 0,
    delayMs: { min: 0.05, max: random.random() < 0.3 ? 60 : 3 },
  });
  for (let step = 0; step < 20; step += 1) {
    cluster.run(200 + random.random() * 1500);
    disturb(cluster, counts);
  }
  network.heal();
  network.setFaults({ lossRate: 0, duplicationRate: 0, delayMs: { min: 0.05, max: 3 } });
  for (const node of cluster.nodes) if (node.system === undefined) cluster.start(node);
  converge(cluster);
  for (const node of cluster.nodes)
    if (node.tree !== undefined) cluster.checker.final(node.id, node.tree);
  if (cluster.checker.acknowledged.length === 0) throw new Violation("nothing was acknowledged");
  return {
    acknowledged: cluster.checker.acknowledged.length,
    ...counts,
    epochs: cluster.nodes[0]?.logSync?.promise.epoch ?? 0,
    virtualMs: cluster.clock.nowMs(),
  };
}

function disturb(cluster: Cluster, counts: { crashes: number; partitions: number }): void {
  const { network, random, nodes } = cluster;
  const node = nodes[Math.floor(random.random() * nodes.length)] as SimNode;
  const other = nodes[Math.floor(random.random() * nodes.length)] as SimNode;
  const chance = random.random();
  if (node.system === undefined) {
    const damaged = nodes.filter((each) => each.durable >= 0 && each.damaged).length;
    // Never so many at once that the others are no quorum.
    if (random.random() < 0.3 && damaged < nodes.length - cluster.quorum) cluster.damage(node);
    cluster.note(node.id, "restart");
    cluster.start(node);
  } else if (chance < 0.35) {
    cluster.crash(node, random.random() < 0.7);
    counts.crashes += 1;
  } else if (chance < 0.5) {
    cluster.note(node.id, "isolated");
    network.isolate(node.id);
    counts.partitions += 1;
  } else if (chance < 0.65 && node !== other) {
    cluster.note(node.id, `cut to ${other.id}`);
    network.cut(node.id, other.id);
    counts.partitions += 1;
  } else if (chance < 0.85) {
    cluster.note(0, "heal");
    network.heal();
  }
}

/** Clients go on; the trees are compared at a moment when all nodes stand at the same zxid. */
function converge(cluster: Cluster): void {
  const untilMs = cluster.clock.nowMs() + CONVERGENCE_MS;
  let acknowledged = cluster.checker.acknowledged.length;
  let progress = false;
  while (cluster.clock.nowMs() < untilMs) {
    cluster.run(5);
    progress ||= cluster.checker.acknowledged.length > acknowledged + 10;
    acknowledged = Math.min(acknowledged, cluster.checker.acknowledged.length);
    const trees = cluster.nodes.map((node) => node.tree);
    const zxids = new Set(trees.map((tree) => tree?.lastApplied));
    const ready = cluster.nodes.every((node) => {
      const role = node.logSync?.role;
      return (
        (role?.kind === "leading" && role.active) ||
        (role?.kind === "following" && role.established)
      );
    });
    if (!progress || !ready || zxids.size !== 1) continue;
    const digests = new Set(trees.map((tree) => (tree === undefined ? "" : digestOf(tree))));
    if (digests.size !== 1) throw new Violation("I4: the trees differ at the end");
    return;
  }
  throw new Violation(`no convergence within ${CONVERGENCE_MS} ms of virtual time`);
}
