/** Asks the admin actor for what is known of the node, on behalf of requests over HTTP and of operators over NATS. */
import type { Facts, FactsQuestion, Gathered } from "../../actors/admin/messages.ts";
import { ADMIN_ANSWER_MS_MAX } from "../../protocol/limits.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import { observe } from "../wiring.ts";

export type FactsOptions = {
  /** What other actors are to be asked for. Default: what the admin actor knows is enough. */
  readonly gather?: Gathered;
  /** What `wtch` and `ephemerals` are about. */
  readonly argument?: string;
  readonly mask?: bigint;
  /** Default ADMIN_ANSWER_MS_MAX. */
  readonly withinMs?: number;
};

export class NodeFacts {
  readonly #system: ActorSystem;
  readonly #waiting = new Map<number, (facts: Facts | undefined) => void>();
  #next = 1;
  #isOver = false;

  constructor(system: ActorSystem) {
    this.#system = system;
    observe(system, "facts").subscribe({
      next: (facts) => this.#waiting.get(facts.request)?.(facts),
      complete: () => this.#end(),
    });
  }

  /** Resolves with undefined when there is no answer in time, as when an actor has failed over the question, or the node stops. */
  ask({
    gather,
    argument,
    mask,
    withinMs = ADMIN_ANSWER_MS_MAX,
  }: FactsOptions = {}): Promise<Facts | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    const request = this.#next;
    this.#next += 1;
    return new Promise((resolve) => {
      const finish = (facts: Facts | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(request);
        resolve(facts);
      };
      const timer = setTimeout(() => finish(undefined), withinMs);
      this.#waiting.set(request, finish);
      const question: FactsQuestion = {
        ...{ kind: "askFacts", request, gather },
        ...(argument !== undefined && { argument }),
        ...(mask !== undefined && { mask }),
      };
      this.#system.tell("admin", question);
    });
  }

  #end(): void {
    this.#isOver = true;
    for (const finish of [...this.#waiting.values()]) finish(undefined);
  }
}
