/** The threads of a simulated node: their systems, and the ways between them. */
import type { Clock } from "../../runtime/clock.ts";
import { announcePost, Inlet, newAnnouncedPosts } from "../../runtime/lanes/inlet.ts";
import type { ActorSystem, Letter, Link } from "../../runtime/system.ts";
import { threadOf } from "../../server/placement.ts";
import { OrderedPath } from "../../runtime/testing/ordered-path.ts";
import type { Plan } from "./plan.ts";
import type { Random, Range } from "./random.ts";

/** Letters from one thread to another: in order, a little later, perhaps as copies. */
export class ThreadLink implements Link {
  readonly #path: OrderedPath;
  readonly #random: Random;
  readonly #delayMs: Range;
  readonly #inlet: Pick<Inlet, "receive">;
  readonly #announce: () => void;
  readonly #copies: boolean;

  constructor(of: {
    readonly clock: Clock;
    readonly random: Random;
    readonly delayMs: Range;
    readonly inlet: Pick<Inlet, "receive">;
    readonly announce: () => void;
    /** The receiver gets copies, made as they are posted. */
    readonly copies: boolean;
  }) {
    this.#path = new OrderedPath(of.clock);
    this.#random = of.random;
    this.#delayMs = of.delayMs;
    this.#inlet = of.inlet;
    this.#announce = of.announce;
    this.#copies = of.copies;
  }

  announce(): void {
    this.#announce();
  }

  post(letters: readonly Letter[]): void {
    const posted = this.#copies ? structuredClone(letters) : letters;
    this.#path.send(this.#random.between(this.#delayMs), () => this.#inlet.receive(posted));
  }
}

/** `main`, `log`, or the number of a lane. */
export type Thread = string | number;

export class NodeThreads {
  /** All are the same system when a node's threads are not simulated. */
  readonly systems: ReadonlyMap<Thread, ActorSystem>;
  readonly #inlets = new Map<Thread, Inlet>();
  readonly #links = new Map<Thread, ThreadLink>();

  /** `make` makes the system of a thread, or of all. */
  constructor(
    plan: Plan,
    of: {
      readonly clock: Clock;
      readonly random: Random;
      readonly make: (thread: Thread, route: (to: string) => Link | undefined) => ActorSystem;
    },
  ) {
    const { clock, random, make } = of;
    const lanes = Array.from({ length: plan.lanes }, (_, index) => index + 1);
    const systems = new Map<Thread, ActorSystem>();
    const shared = plan.threads === undefined ? make("main", () => undefined) : undefined;
    for (const thread of ["main", "log", ...lanes]) {
      const announced = newAnnouncedPosts();
      const inlet = new Inlet(announced);
      const ways = { inlet, announce: () => announcePost(announced), copies: plan.copies };
      const delayMs = threadDelay(plan, thread);
      this.#links.set(thread, new ThreadLink({ clock, random, delayMs, ...ways }));
      const system = shared ?? make(thread, (to) => this.#wayFrom(thread, to));
      systems.set(thread, system);
      this.#inlets.set(thread, inlet);
      inlet.open(system);
    }
    this.systems = systems;
  }

  /** A client's message to an actor of a lane. */
  hear(to: string, message: object): void {
    this.#inlets.get(threadOf(to))?.hear(to, message);
  }

  #wayFrom(thread: Thread, to: string): Link | undefined {
    const there = thread === "main" ? threadOf(to) : "main";
    return there === thread ? undefined : this.#links.get(there);
  }
}

/** To the thread: lanes may be slow. */
function threadDelay({ threads }: Plan, thread: Thread): Range {
  const { min, max } = threads?.delayMs ?? { min: 0, max: 0 };
  const factor = typeof thread === "number" ? (threads?.laneFactors[thread - 1] ?? 1) : 1;
  return { min: min * factor, max: max * factor };
}
