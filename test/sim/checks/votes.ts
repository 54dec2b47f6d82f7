/**
 * Says which nodes have a vote, for faults that take one away: without a quorum of votes an ensemble waits for its operator
 * (decision 7).
 */
import type { SimNode } from "../sim-node.ts";

/** Whether the other nodes that have a vote and will keep it are a quorum. */
export function isQuorumWithout(
  node: SimNode,
  nodes: readonly SimNode[],
  count: number = nodes.length,
): boolean {
  const others = nodes.filter((each) => {
    const { state } = each.log;
    if (each === node || each.isOld) return false;
    if (state === undefined || state.repair !== undefined) return false;
    return !nodes.some((leader) => countsMore(leader, each));
  });
  return others.length >= Math.floor(count / 2) + 1;
}

/**
 * Whether the leader has counted more for the node than it holds, because its last write was lost. The leader will tell it, and it
 * will lose its vote.
 */
function countsMore(leader: SimNode, { id, log }: SimNode): boolean {
  const role = leader.logSync?.role;
  const follower = role?.kind === "leading" ? role.followers.get(id) : undefined;
  if (follower === undefined || log.state === undefined) return false;
  const { accepted, incarnation } = follower;
  return incarnation.hasForgotten || Math.max(accepted, incarnation.owed) > log.state.log.durable;
}
