/**
 * Who is told what: for each topic, the actors that hear it. A type error where an actor does not take the topic's values.
 * `docs/internals/architecture.md` shows this table.
 */
import type { Observable } from "rxjs";
import type { Inboxes } from "../actors/inboxes.ts";
import { type Topic, TOPICS, type Topics } from "../actors/topics.ts";
import type { ActorSystem } from "../runtime/system.ts";

/** `NAME/*`: the actor of each lane. */
export type ActorPattern =
  | "admin"
  | "changes"
  | "election"
  | "feed/1"
  | "heartbeat"
  | "log"
  | "log-sync"
  | "reaper"
  | "sessions"
  | "submitter/*"
  | "tree/*"
  | "zookeeper/*"
  | "nats/*";

type InboxOf<Pattern extends ActorPattern> = Pattern extends `${infer Name}/*`
  ? `${Name}/${number}` extends keyof Inboxes
    ? Inboxes[`${Name}/${number}`]
    : never
  : Pattern extends keyof Inboxes
    ? Inboxes[Pattern]
    : never;

type TakerOf<T extends Topic> = {
  [Pattern in ActorPattern]: Topics[T] extends InboxOf<Pattern> ? Pattern : never;
}[ActorPattern];

export type Wire = {
  readonly topic: Topic;
  readonly to: readonly ActorPattern[];
  /**
   * Which lanes are heard, of a topic that the actors of lanes emit. `own`: an actor of a lane hears its own lane. `first`: lane 1
   * is heard, since all hold the same. `every`: all are heard.
   */
  readonly lanes: "own" | "first" | "every";
};

function wire<T extends Topic>(
  topic: T,
  to: readonly TakerOf<T>[],
  lanes: Wire["lanes"] = "every",
): Wire {
  return { topic, to, lanes };
}

export const WIRING: readonly Wire[] = [
  wire("leadership", [
    "election",
    "heartbeat",
    "reaper",
    "sessions",
    "submitter/*",
    "admin",
    "changes",
    "feed/1",
    "zookeeper/*",
    "nats/*",
  ]),
  wire("durable", ["election"]),
  wire("committed", ["tree/*"]),
  wire("leaderHeard", ["zookeeper/*", "nats/*"]),
  wire("peers", ["admin"]),
  wire("sessions", ["sessions"], "first"),
  wire("sessions", ["zookeeper/*", "nats/*"], "own"),
  wire("memory", ["log-sync"], "first"),
  wire("memory", ["zookeeper/*", "nats/*"], "own"),
  wire("metrics", ["admin"]),
];

/** Wires what the actors of this thread emit. Those of other threads are wired there. */
export function wireAll(system: ActorSystem, lanes: number): void {
  const numbers = Array.from({ length: lanes }, (_, index) => index + 1);
  for (const { topic, to, lanes: which } of WIRING) {
    const { from } = TOPICS[topic];
    for (const lane of which === "first" ? [1] : from.endsWith("/*") ? numbers : [undefined]) {
      const emitter = lane === undefined ? from : named(from, lane);
      const hearing = which === "own" && lane !== undefined ? [lane] : numbers;
      system.wire(emitter, topic, [...new Set(to.flatMap((taker) => namesOf(taker, hearing)))]);
    }
  }
}

/** A topic as a stream; `lane` for one that the actor of each lane emits. Subscribers must only enqueue or record. */
export function observe<T extends Topic>(
  system: ActorSystem,
  topic: T,
  lane?: number,
): Observable<Topics[T]> {
  const { from } = TOPICS[topic];
  const emitter = lane === undefined ? from : named(from, lane);
  return system.observe(emitter, topic) as Observable<object> as Observable<Topics[T]>;
}

function namesOf(pattern: string, lanes: readonly number[]): string[] {
  return pattern.endsWith("/*") ? lanes.map((lane) => named(pattern, lane)) : [pattern];
}

function named(pattern: string, lane: number): string {
  return pattern.replace("*", String(lane));
}
