/**
 * Brings a leader and its successor about at the same time. What the old leader receives late, or from too few nodes, or what was sent to
 * its earlier incarnation, must not let it answer clients whose sessions the new leader may end.
 */
import type { SimNode } from "../sim-node.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

type SuccessionKind = "deafLeader" | "pairApart" | "lateEchoes";

export function successionFaults(injection: Injection): Record<SuccessionKind, Inject> {
  const { cluster, random, later, say } = injection;
  const { nodes, network, plan } = cluster;
  const currentLeader = (): SimNode | undefined => nodes.find((node) => node.leads);
  /** Until this time no other fault begins, so that a succession is not disturbed. */
  let busyUntilMs = 0;
  const leaderNow = (): SimNode | undefined =>
    cluster.clock.nowMs() < busyUntilMs ? undefined : currentLeader();
  const othersOf = (leader: SimNode): SimNode[] => nodes.filter((each) => each !== leader);
  const stand = (node: SimNode): void => {
    node.tell("log-sync", { kind: "elected", leader: node.id });
  };
  const mute = (node: SimNode, forMs: number): void => {
    const clients = cluster.clients.filter(({ server }) => server === node.id);
    for (const client of clients) client.mute = true;
    later(forMs, () => {
      for (const client of clients) client.mute = false;
    });
  };
  const healLater = (forMs: number): void => {
    busyUntilMs = Math.max(busyUntilMs, cluster.clock.nowMs() + forMs);
    later(forMs, () => network.heal());
  };
  const longMs = (forMs: number): number => forMs + plan.peerTimeoutMs + plan.minSessionTimeoutMs;
  return {
    deafLeader: ({ node, forMs }) => {
      const leader = leaderNow();
      if (leader === undefined || node === leader || nodes.length < 3) return false;
      const lateMs = plan.peerTimeoutMs * (0.4 + 0.4 * random.random());
      for (const { id } of othersOf(leader)) network.slow(id, leader.id, lateMs);
      const cutMs = lateMs + 3 * plan.heartbeatIntervalMs;
      later(cutMs, () => {
        for (const { id } of othersOf(leader)) network.cut(leader.id, id, longMs(forMs));
        stand(node);
      });
      healLater(cutMs + longMs(forMs));
      return say(`leader ${leader.id} hears all late, and is then heard by nobody`);
    },
    pairApart: ({ forMs }) => {
      const leader = leaderNow();
      if (leader === undefined || nodes.length < 5) return false;
      const others = othersOf(leader);
      const follower = random.pick(others);
      const majority = others.filter((each) => each !== follower);
      // For so short that the follower goes over to the new leader before it has given the old one up; its clients then only
      // listen.
      const isShort = random.chance(0.4);
      const apartMs = isShort ? 150 + random.random() * 700 : longMs(forMs);
      for (const a of [leader, follower]) {
        for (const b of majority) {
          network.cut(a.id, b.id, apartMs);
          network.cut(b.id, a.id, apartMs);
        }
      }
      later(random.random() * 50, () => stand(random.pick(majority)));
      healLater(apartMs);
      if (isShort) {
        later(apartMs * (0.7 + 0.3 * random.random()), () => mute(follower, longMs(forMs)));
        busyUntilMs += longMs(forMs);
      }
      const howLong = isShort ? "a while" : "long";
      return say(`leader ${leader.id} and ${follower.id} apart from the others for ${howLong}`);
    },
    lateEchoes: ({ node, forMs }) => {
      const leader = leaderNow();
      const upMs = leader?.incarnation?.clock.nowMs() ?? 0;
      // Long enough that its next incarnation has a clock that shows less for a while.
      if (leader === undefined || node === leader || upMs < longMs(1000)) return false;
      const lateMs = 400 + random.random() * 500;
      for (const { id } of othersOf(leader)) network.slow(id, leader.id, lateMs);
      const restartMs = 3 * plan.heartbeatIntervalMs;
      later(restartMs, () => {
        for (const { id } of othersOf(leader)) network.slow(id, leader.id, 0);
        cluster.crash(leader, false);
      });
      later(restartMs + 10, () => cluster.start(leader));
      for (const atMs of [60, 140, 220]) {
        later(restartMs + atMs, () => {
          if (currentLeader() !== leader) stand(leader);
        });
      }
      const isolateMs = restartMs + lateMs + random.random() * 300;
      later(isolateMs, () => {
        for (const { id } of othersOf(leader)) {
          network.cut(leader.id, id, longMs(forMs));
          network.cut(id, leader.id, longMs(forMs));
        }
        stand(node);
      });
      healLater(isolateMs + longMs(forMs));
      return say(`leader ${leader.id} restarts, and hears what was said to it before`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}
