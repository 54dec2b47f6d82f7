/** The ways between the threads of a simulated node. */
import type { Clock } from "../../runtime/clock.ts";
import type { ActorSystem } from "../../runtime/system.ts";
import type { Plan } from "./plan.ts";
import type { Random, Range } from "./random.ts";
import { ThreadLink } from "./sim-node.ts";

/** By thread: the way to it. */
export function threadLinksOf(
  plan: Plan,
  threads: readonly (string | number)[],
  of: {
    readonly clock: Clock;
    readonly random: Random;
    readonly systems: ReadonlyMap<string | number, ActorSystem>;
  },
): ReadonlyMap<string | number, ThreadLink> {
  const { clock, random, systems } = of;
  return new Map(
    threads.map((thread) => {
      const delayMs = threadDelay(plan, thread);
      const system = (): ActorSystem | undefined => systems.get(thread);
      return [thread, new ThreadLink({ clock, random, delayMs, system, copies: plan.copies })];
    }),
  );
}

/** To the thread: lanes may be slow. */
function threadDelay({ threads }: Plan, thread: string | number): Range {
  const { min, max } = threads?.delayMs ?? { min: 0, max: 0 };
  const factor = typeof thread === "number" ? (threads?.laneFactors[thread - 1] ?? 1) : 1;
  return { min: min * factor, max: max * factor };
}
