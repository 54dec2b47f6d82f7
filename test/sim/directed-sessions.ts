/** Plans about how long a client relies on its session. Each leads to situations that random plans hardly ever reach. */
import type { Workload } from "./client/workload.ts";
import type { FaultKind } from "./faults/kinds.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** A leader and its successor at the same time, while both have clients. */
export function successions(plan: Plan, random: Random): Partial<Plan> {
  // The last: clients that fall silent on a network that loses every second message.
  const kind: FaultKind = random.pick([
    "deafLeader",
    "deafLeader",
    "pairApart",
    "lateEchoes",
    "muteClient",
  ]);
  const [workload] = plan.clients;
  // There are enough clients that most leaders serve one. A client that only reads waits for no commit, and is answered for as long
  // as its node may answer.
  const clients = Array.from({ length: 5 }, (_, index) => plan.clients[index] ?? workload);
  const minSessionTimeoutMs = kind === "deafLeader" ? 2000 : QUIET.minSessionTimeoutMs;
  const peerTimeoutMs = kind === "deafLeader" ? 2000 : random.pick([1000, 2000]);
  return {
    ...QUIET,
    nodes: kind === "pairApart" ? 5 : 3,
    network: { ...QUIET.network, lossRate: kind === "muteClient" ? 0.5 : 0 },
    faults: { [kind]: 1 },
    faultIntervalMs: 300,
    durationMs: kind === "lateEchoes" ? 11_000 : 8000,
    ...{ minSessionTimeoutMs, peerTimeoutMs },
    requestsMax: 300,
    natives: { ...plan.natives, clients: [] },
    clients: clients
      .filter((each) => each !== undefined)
      .map((each, index) => {
        const mix = index < 2 ? each.mix : READS;
        // An idle client touches its session only with pings, one in each third of its timeout.
        const thinkMs = kind === "muteClient" ? 2000 : CALM.thinkMs;
        return { ...each, ...CALM, mix, thinkMs, timeoutMs: minSessionTimeoutMs };
      }),
  };
}

/** Sessions move from one connection to another, with other timeouts and wrong passwords, and nodes stand still meanwhile. */
export function handshakes(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = [
    "stallHandshake",
    "stallHandshake",
    "wrongPassword",
    "moveClient",
    "shareSession",
    "pauseLeader",
  ];
  const { minSessionTimeoutMs } = QUIET;
  const change = (each: Workload): Workload => ({
    ...each,
    ...CALM,
    patient: true,
    timeoutMs: minSessionTimeoutMs * 2,
    renewals: random.chance(0.5) ? [] : renewalsOf(minSessionTimeoutMs),
  });
  const [workload] = plan.clients;
  const one = workload === undefined ? [] : [{ ...workload, mix: READS }];
  const natives = plan.natives.clients.length > 0 ? plan.natives.clients : one;
  return {
    ...QUIET,
    nodes: 3,
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0.3 + random.random()])),
    faultIntervalMs: random.pick([300, 600]),
    clients: plan.clients.map(change),
    natives: { ...plan.natives, clients: natives.map(change), lossRate: 0 },
  };
}

/** More znodes have come to their end than a leader may delete in a second, and leaders change meanwhile. */
export function endings(plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = ["wrongElection", "isolateLeader", "heal"];
  const change = (each: Workload): Workload => ({
    ...each,
    timeoutMs: QUIET.minSessionTimeoutMs * 2,
    renewals: [],
    mix: { ...each.mix, lifetime: 3, shaped: 0 },
  });
  return {
    ...QUIET,
    nodes: 3,
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0.3 + random.random()])),
    faultIntervalMs: 300,
    clients: plan.clients.map(change),
    reaper: { checkIntervalMs: 20, perMinuteMax: 60, unusedMs: 0 },
  };
}

/** A member is replaced again and again, and its clock is set back: what its lanes sent before is still on its way. */
export function replacements(_plan: Plan, random: Random): Partial<Plan> {
  const kinds: readonly FaultKind[] = ["replacedUnderOldClock", "slowLink", "clog", "kill"];
  return {
    nodes: random.pick([3, 3, 5]),
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0.3 + random.random()])),
    faultIntervalMs: random.pick([300, 600, 1200]),
  };
}

/** The least may be asked for less, and is granted the least. */
export function renewalsOf(minSessionTimeoutMs: number): Workload["renewals"] {
  return [0.5, 1, 2, 3].map((times) => ({
    askedMs: minSessionTimeoutMs * times,
    grantedMs: minSessionTimeoutMs * Math.min(2, Math.max(1, times)),
  }));
}

/** The shortest timeouts, on a network and disks without faults of their own: what is left is what the plan is about. */
const QUIET = {
  minSessionTimeoutMs: 1000,
  failoverGraceMs: 2000,
  heartbeatIntervalMs: 100,
  network: { lossRate: 0, duplicationRate: 0, delayMs: { min: 0.05, max: 3 }, lateRate: 0 },
  diskMs: { min: 0.02, max: 0.2 },
  driftMax: 0,
} as const;

const READS: Workload["mix"] = {
  ...{ setData: 0, create: 0, delete: 0, sequential: 0, ephemeral: 0, consume: 0, multi: 0 },
  ...{ lifetime: 0, multiRead: 0 },
  ...{ syncRead: 0, read: 1, watch: 0, close: 0 },
};
const CALM = {
  ...{ thinkMs: 100, outstandingMax: 4, renewals: [] },
  ...{ flood: false, hog: false, slowReader: false },
} as const;
