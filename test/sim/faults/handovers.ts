/**
 * Leaders that hand their office over, to a node that may be away, behind or about to stop; and nodes that are told to take over by one that
 * may not tell them.
 */
import { encodeCbor } from "../../../protocol/cbor.ts";
import { withBody } from "../../support/frames.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type HandoverKind = "handOver" | "wrongTakeOver";

export function handoverFaults({ cluster, random, say }: Injection): Record<HandoverKind, Inject> {
  let requests = 0;
  return {
    handOver: ({ node }) => {
      const leader = cluster.nodes.find(({ leads }) => leads);
      if (leader === undefined) return false;
      requests += 1;
      const to = random.chance(0.5) ? node.id : undefined;
      const isStopping = random.chance(0.15);
      if (isStopping) node.tell("log-sync", { kind: "retire" });
      // Its disk may be slow meanwhile, so that it does not take over in time.
      if (random.chance(0.2)) cluster.network.slow(leader.id, node.id, random.random() * 1500);
      leader.tell("log-sync", { kind: "handOver", request: requests, to });
      const whom = to === undefined ? "whoever can" : `${to}`;
      return say(`${leader.id} hands over to ${whom}${isStopping ? `; ${node.id} retires` : ""}`);
    },
    wrongTakeOver: ({ node, other }) => {
      const state = node.logSync;
      const real = cluster.network.lastOf(other.id);
      if (state?.role.kind !== "following" || real === undefined) return false;
      const { leader, epoch } = state.role;
      if (leader === other.id || node === other) return false;
      const { identity: folder } = state.membership;
      const zxid = state.log.index.tail;
      const bytes = withBody(real, encodeCbor({ kind: "takeOver", epoch, folder, zxid }));
      cluster.network.forge({ from: other.id, to: node.id, actor: "log-sync", bytes });
      return say(`${other.id}, which does not lead, has ${node.id} take over`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}
