/** Faults about sessions: handshakes that take long, strangers, nodes whose lanes the log knows a later incarnation of. */
import { attack } from "../client/hostile.ts";
import { intrude } from "../client/intruder.ts";
import { losePart } from "../losses.ts";
import type { SimNode } from "../sim-node.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type SessionFaultKind =
  | "hostileClient"
  | "muteClient"
  | "stallHandshake"
  | "wrongPassword"
  | "replacedUnderOldClock";

const POLL_MS = 1;
const POLLS_MAX = 300;

export function sessionFaults(
  injection: Injection,
  pause: (node: SimNode, forMs: number) => boolean,
): Record<SessionFaultKind, Inject> {
  const { cluster, random, later, say } = injection;
  const { nodes, plan } = cluster;
  /** The node that is attaching the session. */
  const attaching = (session: number): SimNode | undefined =>
    nodes.find((node) => {
      for (let lane = 1; lane <= plan.lanes; lane += 1) {
        for (const gateway of [node.gateway(lane), node.natsGateway(lane)]) {
          if (gateway?.sessions.attaching.has(session as never) === true) return true;
        }
      }
      return false;
    });
  return {
    hostileClient: ({ node }) => {
      if (node.incarnation === undefined) return false;
      attack(cluster, node, random);
      return say(`a hostile client of ${node.id}`);
    },
    muteClient: ({ client }) => {
      const { timeoutMs } = client.session ?? {};
      if (timeoutMs === undefined || client.mute) return false;
      client.mute = true;
      later(timeoutMs * (0.7 + random.random()), () => {
        client.mute = false;
      });
      return say(`${client.name} only listens`);
    },
    stallHandshake: ({ anyone }) => {
      const { session } = anyone;
      if (session === undefined) return false;
      anyone.move(true);
      const poll = (left: number): void => {
        const node = attaching(session.id);
        if (node !== undefined) pause(node, session.timeoutMs * (0.3 + random.random()));
        else if (left > 0) later(POLL_MS, () => poll(left - 1));
      };
      poll(POLLS_MAX);
      return say(`the node that attaches ${anyone.name} next will stand still`);
    },
    wrongPassword: ({ node, anyone }) => {
      const { session } = anyone;
      if (session === undefined || node.incarnation === undefined) return false;
      intrude(cluster, { session, node, random });
      return say(`somebody asks ${node.id} for the session of ${anyone.name} without its password`);
    },
    replacedUnderOldClock: ({ node }) => {
      if (node.incarnation !== undefined) cluster.crash(node, false);
      const byMs = Math.round(random.random() * 100_000) + 1;
      const done = losePart(cluster, node, "everything");
      if (done) node.wallOffsetMs -= byMs;
      later(20 + random.wait(200), () => cluster.start(node));
      return done && say(`${node.id} has an empty disk, and a clock ${byMs} ms behind`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}
