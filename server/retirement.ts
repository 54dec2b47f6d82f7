/** How a node goes out of service before it stops: it hands leadership over, and its clients go to other nodes. */
import type { HandoverOutcome, HandoverEnded } from "../actors/log-sync/handover/messages.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { setTimeout as wait } from "node:timers/promises";
import { observe } from "./wiring.ts";

/** Milliseconds after which a node stops although it could not hand leadership over. */
const HANDOVER_MS = 4000;
/** Milliseconds after which it stops although clients are still connected. */
const CLIENTS_MS = 1500;
/** The actor answers within its own limits, which are shorter; it answers nothing when it has stopped. */
const OUTCOME_MS = 20_000;

export class Retirement {
  readonly #system: ActorSystem;
  readonly #lanes: number;
  readonly #waiting = new Map<number, (ended: HandoverEnded) => void>();
  #requests = 0;
  #retiring: Promise<void> | undefined;

  constructor(system: ActorSystem, lanes: number) {
    this.#system = system;
    this.#lanes = lanes;
    observe(system, "handover").subscribe((ended) => this.#waiting.get(ended.request)?.(ended));
  }

  get hasBegun(): boolean {
    return this.#retiring !== undefined;
  }

  /** Hands leadership over if this node leads. `to` undefined: to whichever follower has the most. */
  transferLeadership(to: ServerId | undefined): Promise<HandoverOutcome> {
    this.#requests += 1;
    const request = this.#requests;
    return new Promise((resolve) => {
      const finish = (outcome: HandoverOutcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(request);
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        finish({
          kind: "failed",
          reason: "the node does not say what became of it",
          leader: undefined,
        });
      }, OUTCOME_MS);
      this.#waiting.set(request, ({ outcome }) => finish(outcome));
      this.#system.tell("log-sync", { kind: "handOver", request, to });
    });
  }

  /** Resolves when no client is here any more, or after a while. It may be called again. */
  retire(): Promise<void> {
    this.#retiring ??= this.#retire();
    return this.#retiring;
  }

  async #retire(): Promise<void> {
    this.#system.tell("log-sync", { kind: "retire" });
    await soonest(HANDOVER_MS, this.transferLeadership(undefined));
    const gone = new Promise<void>((resolve) => {
      observe(this.#system, "clientsGone").subscribe(() => resolve());
    });
    for (let lane = 1; lane <= this.#lanes; lane += 1) {
      this.#system.tell(`zookeeper/${lane}`, { kind: "retire" });
      this.#system.tell(`nats/${lane}`, { kind: "retire" });
    }
    await soonest(CLIENTS_MS, gone);
  }
}

/** Resolves with the promise, and after `ms` without it. */
async function soonest(ms: number, promise: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  await Promise.race([
    promise,
    wait(ms, undefined, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
}
