/** The native clients of a run, and the NATS between them and the nodes. */
import type { Clock } from "../../runtime/clock.ts";
import type { ClientEnvironment } from "./client/environment.ts";
import { NativeClient } from "./client/native.ts";
import type { StreamCounts } from "./client/streams.ts";
import type { NodeClock } from "../../runtime/testing/node-clock.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";
import type { SimNode } from "./sim-node.ts";
import { Subjects } from "./subjects.ts";

export type NativeClientsOptions = {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodes: readonly SimNode[];
  readonly environment: Omit<ClientEnvironment, "dial" | "nodes" | "clock">;
  readonly makeClock: () => NodeClock;
  readonly isCut: (client: string, node: SimNode) => boolean;
};

const SUBJECTS_STREAM = 0;

export class NativeClients {
  readonly subjects: Subjects;
  readonly all: readonly NativeClient[];
  readonly counts: StreamCounts = { changes: 0, resumed: 0, compacted: 0, paused: 0 };

  constructor(options: NativeClientsOptions) {
    const { plan, clock, random, nodes, environment, makeClock, isCut } = options;
    const { trace } = environment;
    const { clientDelayMs: delayMs, lanes, natives } = plan;
    const subjectsRandom = random.stream(SUBJECTS_STREAM);
    const to = { clock, random: subjectsRandom, trace, delayMs, lanes, nodes, isCut };
    this.subjects = new Subjects(to);
    this.subjects.lossRate = natives.lossRate;
    this.all = natives.clients.map((workload, index) => {
      return new NativeClient(`native ${index + 1}`, {
        environment: { ...environment, clock: makeClock() },
        subjects: this.subjects,
        random: random.stream(index + 1),
        workload,
        counts: this.counts,
        streamsMax: natives.streamsMax,
        grantMs: natives.grantMs,
      });
    });
  }
}
