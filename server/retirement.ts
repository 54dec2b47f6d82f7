/** How a node goes out of service before it stops: it hands leadership over, and its clients go to other nodes. */
import type { HandoverOutcome } from "../actors/log-sync/handover/messages.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { setTimeout as wait } from "node:timers/promises";
import { observe } from "./wiring.ts";

/** Milliseconds after which a node stops although it could not hand leadership over. */
const HANDOVER_MS = 4000;
/** Milliseconds after which it stops although clients are still connected. */
const CLIENTS_MS = 1500;
/** The actor answers within its own limits, which are shorter. */
const OUTCOME_MS = 20_000;

/** A handover that was asked for and has no outcome yet. */
type Transfer = {
  readonly outcome: Promise<HandoverOutcome>;
  readonly finish: (outcome: HandoverOutcome) => void;
};

export class Retirement {
  readonly #system: ActorSystem;
  readonly #lanes: number;
  readonly #transfers = new Map<number, Transfer>();
  #requests = 0;
  #retiring: Promise<void> | undefined;
  #isOver = false;

  constructor(system: ActorSystem, lanes: number) {
    this.#system = system;
    this.#lanes = lanes;
    observe(system, "handover").subscribe({
      next: ({ request, outcome }) => this.#transfers.get(request)?.finish(outcome),
      complete: () => {
        this.#isOver = true;
        for (const { finish } of [...this.#transfers.values()]) finish(failed("the node stops"));
      },
    });
  }

  get hasBegun(): boolean {
    return this.#retiring !== undefined;
  }

  /** Hands leadership over if this node leads. `to` undefined: to whichever follower has the most. */
  transferLeadership(to: ServerId | undefined): Promise<HandoverOutcome> {
    if (this.#isOver) return Promise.resolve(failed("the node stops"));
    this.#requests += 1;
    const request = this.#requests;
    const { promise: outcome, resolve } = Promise.withResolvers<HandoverOutcome>();
    const finish = (ended: HandoverOutcome): void => {
      clearTimeout(timer);
      this.#transfers.delete(request);
      resolve(ended);
    };
    const timer = setTimeout(() => {
      finish(failed("the node does not say what became of it"));
    }, OUTCOME_MS);
    this.#transfers.set(request, { outcome, finish });
    this.#system.tell("log-sync", { kind: "handOver", request, to });
    return outcome;
  }

  /** Resolves when no client is here any more, or after a while. It may be called again. */
  retire(): Promise<void> {
    this.#retiring ??= this.#retire();
    return this.#retiring;
  }

  async #retire(): Promise<void> {
    this.#system.tell("log-sync", { kind: "retire" });
    await soonest(HANDOVER_MS, this.#handOver());
    const gone = new Promise<void>((resolve) => {
      observe(this.#system, "clientsGone").subscribe({ next: () => resolve(), complete: resolve });
    });
    for (let lane = 1; lane <= this.#lanes; lane += 1) {
      this.#system.tell(`zookeeper/${lane}`, { kind: "retire" });
      this.#system.tell(`nats/${lane}`, { kind: "retire" });
    }
    await soonest(CLIENTS_MS, gone);
  }

  /** While an operator's handover is under way another one is refused, and this node leads on if it fails. */
  async #handOver(): Promise<void> {
    await Promise.all([...this.#transfers.values()].map(({ outcome }) => outcome));
    await this.transferLeadership(undefined);
  }
}

function failed(reason: string): HandoverOutcome {
  return { kind: "failed", reason, leader: undefined };
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
