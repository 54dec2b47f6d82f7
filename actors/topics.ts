/**
 * What actors publish within their node without knowing who subscribes: one topic for each subject, with the type of its values.
 * The last value of a state is repeated to an actor that restarts and to every new observer; an event is delivered once.
 * `server/wiring.ts` says which actors are subscribed to which topics.
 */
import type { EmitEffect } from "../runtime/effects.ts";
import type { Leadership } from "../protocol/replication.ts";
import type { AllClientsGone, Facts, NatsConnections } from "./admin/messages.ts";
import type { Streamed } from "./changes/messages.ts";
import type { Retiring, Serving } from "./gateway/messages.ts";
import type { LeaderHeard, Peers } from "./heartbeat/messages.ts";
import type { HandoverEnded } from "./log-sync/handover/messages.ts";
import type { Committed, Durable, Standing } from "./log-sync/messages.ts";
import type { SessionChanges, TreeMemory, TreeMetrics } from "./tree/messages.ts";

export type Topics = {
  leadership: Leadership;
  durable: Durable;
  standing: Standing;
  committed: Committed;
  handover: HandoverEnded;
  peers: Peers;
  leaderHeard: LeaderHeard;
  sessions: SessionChanges;
  memory: TreeMemory;
  metrics: TreeMetrics;
  serving: Serving;
  retiring: Retiring;
  streamed: Streamed;
  nats: NatsConnections;
  facts: Facts;
  clientsGone: AllClientsGone;
};

export type Topic = keyof Topics;

export type TopicRules = {
  /** The actor that emits the topic; `tree/*` stands for the tree of every lane. */
  readonly from: string;
  readonly is: "state" | "event";
  readonly meaning: string;
};

export const TOPICS: { readonly [T in Topic]: TopicRules } = {
  leadership: {
    from: "log-sync",
    is: "state",
    meaning: "who leads, as far as this node knows, and which writes the ensemble takes",
  },
  durable: {
    from: "log-sync",
    is: "state",
    meaning:
      "where the durable log ends (growth is not said while this node leads or follows), what is promised, and whether it votes",
  },
  standing: {
    from: "log-sync",
    is: "state",
    meaning: "who this node is in its ensemble, and who the others are",
  },
  committed: { from: "log-sync", is: "event", meaning: "committed records, each once, in order" },
  handover: {
    from: "log-sync",
    is: "event",
    meaning: "what has become of a request to hand leadership over",
  },
  peers: { from: "heartbeat", is: "state", meaning: "of a leader: which nodes were heard in time" },
  leaderHeard: {
    from: "heartbeat",
    is: "event",
    meaning: "which touches of sessions have reached the leader",
  },
  sessions: { from: "tree/*", is: "event", meaning: "which sessions were attached or closed" },
  memory: { from: "tree/*", is: "state", meaning: "whether the tree has memory left to grow" },
  metrics: { from: "tree/*", is: "state", meaning: "how large the tree is, and its watches" },
  serving: { from: "nats/*", is: "state", meaning: "this lane is to be heard by native clients" },
  retiring: {
    from: "nats/*",
    is: "event",
    meaning: "no further clients are to come to this lane: the node is about to stop",
  },
  streamed: { from: "changes", is: "event", meaning: "what a reader in this process is given" },
  nats: {
    from: "admin",
    is: "state",
    meaning: "which of the node's connections to NATS are there",
  },
  facts: { from: "admin", is: "event", meaning: "what a request to the admin server asks for" },
  clientsGone: {
    from: "admin",
    is: "event",
    meaning: "the clients of a node that is about to stop have gone",
  },
};

/** An effect that publishes `value` to the subscribers of `topic`. The runtime keeps the last value of a state for later ones. */
export function emit<T extends Topic>(topic: T, value: Topics[T]): EmitEffect {
  return { kind: "emit", topic, value, keep: TOPICS[topic].is === "state" };
}
