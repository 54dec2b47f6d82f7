/** The clients of a run that are the package's own, over ZooKeeper's protocol. */
import type { CallCounts } from "./client/zookeeper/asked.ts";
import type { ClientEnvironment } from "./client/environment.ts";
import type { FollowedCounts } from "./client/zookeeper/followed.ts";
import { ZooKeeperUser } from "./client/zookeeper/user.ts";
import type { NodeClock } from "../../runtime/testing/node-clock.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

export type ZooKeeperClientsOptions = {
  readonly plan: Plan;
  readonly random: Random;
  readonly environment: Omit<ClientEnvironment, "clock">;
  readonly makeClock: () => NodeClock;
};

export class ZooKeeperClients {
  readonly all: readonly ZooKeeperUser[];
  readonly counts: FollowedCounts & CallCounts = {
    ...{ answered: 0, found: 0, unknown: 0, denied: 0, applied: 0 },
    ...{ changes: 0, resumed: 0, compacted: 0 },
  };

  constructor({ plan, random, environment, makeClock }: ZooKeeperClientsOptions) {
    const { clients, streamsMax, grantMs } = plan.zookeepers;
    this.all = clients.map((workload, index) => {
      return new ZooKeeperUser(`zookeeper ${index + 1}`, {
        environment: { ...environment, clock: makeClock() },
        ...{ random: random.stream(index + 1), workload, counts: this.counts },
        ...{ streamsMax, grantMs, delayMs: plan.clientDelayMs },
      });
    });
  }
}
