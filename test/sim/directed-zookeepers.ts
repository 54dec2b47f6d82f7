/** Users of the package's own client over ZooKeeper's protocol, with much under way and many streams, that lose their servers. */
import type { Workload } from "./client/workload.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

const KINDS: readonly FaultKind[] = [
  "moveClient",
  "moveClient",
  "moveAllClients",
  "silenceClient",
  "cutClient",
  "clientDrift",
  "kill",
  "killLeader",
  "pause",
  "isolateServer",
  "wrongElection",
  "heal",
  "heal",
];
const CLIENTS = 2;
const MIX: Workload["mix"] = {
  ...{
    setData: 1,
    create: 1,
    delete: 0.6,
    sequential: 0.6,
    ephemeral: 1.5,
    consume: 0.6,
    multi: 0.5,
  },
  ...{ lifetime: 0, multiRead: 0, syncRead: 0.2, read: 0.4, watch: 0, close: 0.01 },
};

/**
 * Few znodes, which come and go all the time: what a stream has seen of one is soon about another, also where a subscriber takes it over or
 * a connection is lost in between.
 */
const BRIEF_KEYS = 2;
const BRIEF_MIX: Workload["mix"] = {
  ...{ setData: 0.2, create: 2, delete: 2, sequential: 0.1, ephemeral: 0.5, consume: 0.2 },
  ...{ multi: 0.3, lifetime: 0, multiRead: 0, syncRead: 0.1, read: 0.4, watch: 0, close: 0 },
};

/** A read does not wait behind a write that cannot be committed, so that it is answered for as long as the node may answer. */
const READS: Workload["mix"] = {
  ...{ setData: 0, create: 0, delete: 0, sequential: 0, ephemeral: 0, consume: 0, multi: 0 },
  ...{ lifetime: 0, multiRead: 0, syncRead: 0, read: 1, watch: 0, close: 0 },
};

export function zookeepers(plan: Plan, random: Random): Partial<Plan> {
  const [workload] = plan.clients;
  if (workload === undefined) return {};
  const isBrief = random.chance(0.4);
  const user = {
    ...workload,
    mix: MIX,
    timeoutMs: plan.minSessionTimeoutMs,
    ...{ dataBytes: 40, keys: 5, outstandingMax: 8, renewals: [], readOnly: false, patient: false },
    ...(isBrief ? { mix: BRIEF_MIX, keys: BRIEF_KEYS } : {}),
    ...{ flood: false, hog: false, slowReader: random.chance(0.3), quotas: 0 },
  };
  const nodes = random.pick([1, 3, 3]);
  const users = Array.from({ length: CLIENTS }, () => ({
    ...user,
    thinkMs: random.pick([5, 20, 50]),
  }));
  // It knows one node only: when that is apart from its leader, the session ends.
  const reader = { ...user, mix: READS, home: random.whole(1, nodes), thinkMs: 10 };
  return {
    nodes,
    network: { ...plan.network, lossRate: 0, lateRate: 0, delayMs: { min: 0.05, max: 3 } },
    clientDelayMs: { min: 0.05, max: random.pick([3, 30]) },
    diskMs: { min: 0.02, max: 1 },
    faultIntervalMs: random.pick([150, 300, 600]),
    faults: { ...Object.fromEntries(KINDS.map((kind) => [kind, 0.2 + random.random()])), heal: 1 },
    requestsMax: Math.max(plan.requestsMax, 800),
    natives: { ...plan.natives, clients: [] },
    clients: plan.clients.slice(0, 2),
    zookeepers: {
      clients: [...users, reader],
      streamsMax: isBrief ? 12 : 6,
      grantMs: random.pick([10, 50, 300]),
    },
  };
}
