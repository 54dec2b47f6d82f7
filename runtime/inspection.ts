/** What happens inside a node, as one stream: logs, metrics, tests and the dashboard read it. */
import type { Effect, EventDetail, LogLevel, PeerId } from "./effects.ts";

export type InspectionEvent =
  /** An actor's own word. */
  | {
      readonly kind: "log";
      /** Unix milliseconds. */
      readonly atMs: number;
      readonly node: PeerId;
      readonly actor: string;
      readonly level: LogLevel;
      readonly event: string;
      readonly detail: EventDetail;
    }
  /** An actor threw; its supervision decides what follows. */
  | {
      readonly kind: "failed";
      readonly atMs: number;
      readonly node: PeerId;
      readonly actor: string;
      readonly message: string;
      readonly error: string;
      readonly supervision: string;
    }
  /** A message to an actor that does not exist, or that found its mailbox full. */
  | {
      readonly kind: "undelivered";
      readonly atMs: number;
      readonly node: PeerId;
      readonly to: string;
      readonly message: string;
      readonly reason: "noSuchActor" | "mailboxFull";
    }
  | {
      readonly kind: "stopNode";
      readonly atMs: number;
      readonly node: PeerId;
      readonly actor: string;
      readonly reason: string;
    };

/** One message that an actor handled, before what it asked for is performed. */
export type StepEvent = {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly node: PeerId;
  readonly actor: string;
  readonly message: object;
  readonly effects: readonly Effect[];
  /** The actor's own, as it is after the step. */
  readonly state: unknown;
  /** How many messages wait for the actor. */
  readonly queued: number;
};
