/** Who has a vote, for faults that take one away: without a quorum of votes an ensemble waits for its operator (decision 7). */
import type { SimNode } from "../sim-node.ts";

/** The others that have a vote, and will keep it, are a quorum. */
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

/** The leader has counted more of it than it holds, as its last write was lost: it will be told so, and lose its vote. */
function countsMore(leader: SimNode, { id, log }: SimNode): boolean {
  const role = leader.logSync?.role;
  const follower = role?.kind === "leading" ? role.followers.get(id) : undefined;
  if (follower === undefined || log.state === undefined) return false;
  const { accepted, incarnation } = follower;
  return incarnation.hasForgotten || Math.max(accepted, incarnation.owed) > log.state.log.durable;
}
