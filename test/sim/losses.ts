/**
 * Losses of a node's disk that an ensemble survives: the other nodes with a vote are a quorum. Without a quorum an ensemble waits for its
 * operator (decision 7).
 */
import { formatZxid } from "../../protocol/zxid.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { isQuorumWithout } from "./checks/votes.ts";
import type { Cluster } from "./cluster.ts";
import { damageDisk, lose, loseLastWrite as loseLastWriteOf } from "./damage.ts";
import { holds } from "./checks/invariants.ts";
import type { FolderCopy, SimNode } from "./sim-node.ts";

/** Something that was durable on the disk of a node that is down is gone or changed. */
export function damage(cluster: Cluster, node: SimNode): boolean {
  return take(cluster, node, () => damageDisk(node.disk, cluster.randomOf(node, 700)));
}

/** As `damage`: nothing is left, or it does not know what it promised. */
export function losePart(cluster: Cluster, node: SimNode, what: "everything" | "promise"): boolean {
  return take(cluster, node, () => lose[what](node.disk));
}

function take(cluster: Cluster, node: SimNode, from: () => string | undefined): boolean {
  if (node.incarnation !== undefined || !isQuorumWithout(node, cluster.nodes)) return false;
  const done = from();
  if (done === undefined) return false;
  cluster.ghosts.endBeforeLoss();
  cluster.note(node, `damaged: ${done}`);
  cluster.invariants.damaged(node.log);
  return true;
}

/** A process with an empty folder is started under the number of one that goes on, apart from all others for now. */
export function replaceLiving(cluster: Cluster, node: SimNode): boolean {
  const { incarnation } = node;
  if (incarnation === undefined || !node.votes) return false;
  const voters = cluster.nodes.filter((each) => each.votes);
  if (!isQuorumWithout(node, voters, cluster.nodes.length)) return false;
  cluster.ghosts.endBeforeLoss();
  cluster.note(node, "goes on apart from all, beside a process with an empty folder");
  cluster.leaveBeside(node, incarnation);
  node.disk = new MemoryDisk();
  cluster.invariants.damaged(node.log);
  cluster.start(node);
  return true;
}

/** The last write on the disk of a node that is down is gone, where a quorum of others holds it. */
export function loseLastWrite(cluster: Cluster, node: SimNode): boolean {
  if (!isSpared(cluster, node)) return false;
  const lost = loseLastWriteOf(node.disk, cluster.randomOf(node, 800));
  if (lost === undefined) return false;
  cluster.note(node, `last write lost: ${lost.done}, ${formatZxid(lost.after)} is left`);
  cluster.invariants.lost(node.log, lost.after);
  return true;
}

function isSpared(cluster: Cluster, node: SimNode): boolean {
  return (
    node.incarnation === undefined &&
    cluster.invariants.isSpared(node.log) &&
    isQuorumWithout(node, cluster.nodes)
  );
}

/** As the folder is at this moment, for later. */
export function copyFolder(cluster: Cluster, node: SimNode): boolean {
  const { logSync } = node;
  const { settled, identity, incarnation, logged } = logSync?.membership ?? {};
  if (logSync === undefined || !node.votes || settled === undefined || logged?.length !== 0)
    return false;
  if (node.hasWrongDisk || logSync.log.truncating || identity === undefined) return false;
  node.copy = {
    files: node.disk.snapshot(),
    identity,
    incarnation: incarnation ?? 0,
    version: settled.version,
    promised: logSync.promises.durable.epoch,
    durable: logSync.log.durable,
  };
  cluster.note(node, "its folder is copied");
  return true;
}

/** It is still the same folder, and what the copy holds has not been cut off since. */
export function isOlderCopy(node: SimNode, copy: FolderCopy): boolean {
  const { state } = node.log;
  if (state === undefined || state.membership.identity !== copy.identity) return false;
  return state.log.durable >= copy.durable && holds(state, copy.durable);
}

/**
 * The copy takes the place of the folder of a node that is down. It has lost what it held after the copy was made, which a quorum of
 * others holds, and no promise: nothing that is needed depends on whether the others find out.
 */
export function putBack(cluster: Cluster, node: SimNode): boolean {
  const { copy } = node;
  const { state } = node.log;
  if (copy === undefined || state === undefined || !isSpared(cluster, node)) return false;
  if (!isOlderCopy(node, copy) || node.log.everPromised !== copy.promised) return false;
  if (state.repair !== undefined || cluster.nodes.some(({ isOld }) => isOld)) return false;
  node.copy = undefined;
  node.isOld = true;
  node.disk = new MemoryDisk({ files: copy.files });
  cluster.note(
    node,
    `an old copy of its folder is put back, which ends at ${formatZxid(copy.durable)}`,
  );
  cluster.invariants.lost(node.log, copy.durable);
  return true;
}
