/**
 * Leaders that hand their office over, to a node that may be away, behind or about to stop; and nodes that are told to take over by one that
 * may not tell them.
 */
import { encodeCbor } from "../../../protocol/cbor.ts";
import { withBody } from "../../support/frames.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type HandoverKind = "handOver" | "wrongTakeOver" | "orderlyStop";

/** A node is given about so long to go out of service, which it may need or not. */
const STOP_MS_MAX = 1500;
/** Longer than a leader waits for a takeover. */
const SLOW_MS_MAX = 1500;

export function handoverFaults({
  cluster,
  random,
  later,
  say,
}: Injection): Record<HandoverKind, Inject> {
  let requests = 0;
  return {
    handOver: ({ node }) => {
      const leader = cluster.nodes.find(({ leads }) => leads);
      if (leader === undefined) return false;
      requests += 1;
      const to = random.chance(0.5) ? node.id : undefined;
      const isStopping = random.chance(0.15);
      if (isStopping) node.tell("log-sync", { kind: "retire" });
      // What the leader says to it may be slow meanwhile, so that it does not take over in time.
      if (random.chance(0.2)) {
        cluster.network.slow(leader.id, node.id, random.random() * SLOW_MS_MAX);
        later(SLOW_MS_MAX, () => cluster.network.slow(leader.id, node.id, 0));
      }
      leader.tell("log-sync", { kind: "handOver", request: requests, to });
      const whom = to === undefined ? "whoever can" : `${to}`;
      return say(`${leader.id} hands over to ${whom}${isStopping ? `; ${node.id} retires` : ""}`);
    },
    // As a process does that is asked to end: `server/retirement.ts`.
    orderlyStop: ({ node }) => {
      if (node.incarnation === undefined) return false;
      const { incarnation } = node;
      node.tell("log-sync", { kind: "retire" });
      requests += 1;
      if (node.leads) node.tell("log-sync", { kind: "handOver", request: requests, to: undefined });
      const leaveMs = random.random() * 100;
      later(leaveMs, () => {
        if (node.incarnation !== incarnation) return;
        for (let lane = 1; lane <= cluster.plan.lanes; lane += 1) {
          node.tell(`zookeeper/${lane}`, { kind: "retire" });
          node.tell(`nats/${lane}`, { kind: "retire" });
        }
      });
      const stopMs = leaveMs + random.random() * STOP_MS_MAX;
      later(stopMs, () => {
        if (node.incarnation === incarnation) cluster.crash(node, false);
      });
      later(stopMs + random.random() * 300, () => cluster.start(node));
      return say(`${node.id} goes out of service and stops`);
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
