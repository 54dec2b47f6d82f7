/**
 * What happens inside a node, as streams. `InspectionEvent`: what its log is made of, always. `StepEvent`: every step of every actor,
 * while somebody observes the steps.
 */
import type { Effect, EventDetail, LogLevel, ServerId } from "./effects.ts";

/** Something that a node says to operators: what `zooid serve` writes to its log. docs/operations/events.md lists the events. */
export type InspectionEvent =
  /** An actor, or what runs it, has something to say to operators. */
  | {
      readonly kind: "log";
      /** Unix milliseconds. */
      readonly atMs: number;
      /** The number of the node that says it. */
      readonly node: ServerId;
      /** Which of the node's actors says it, or what part of the node, such as `config`. */
      readonly actor: string;
      readonly level: LogLevel;
      /** What has happened, by its name in that list. */
      readonly event: string;
      /** The numbers and names that belong to it. */
      readonly detail: EventDetail;
    }
  /** An actor threw; its supervision decides what follows. */
  | {
      readonly kind: "failed";
      readonly atMs: number;
      readonly node: ServerId;
      readonly actor: string;
      /** The kind of the message that it was given. */
      readonly message: string;
      /** What was thrown, with its stack. */
      readonly error: string;
      /** What follows: the actor goes on, starts again, or the node stops. */
      readonly supervision: string;
    }
  /** A message to an actor that does not exist, or that found its mailbox full. */
  | {
      readonly kind: "undelivered";
      readonly atMs: number;
      readonly node: ServerId;
      /** The actor. */
      readonly to: string;
      /** The kind of the message. */
      readonly message: string;
      readonly reason: "noSuchActor" | "mailboxFull";
    }
  /** The node stops itself: something that must hold does not. */
  | {
      readonly kind: "stopNode";
      readonly atMs: number;
      readonly node: ServerId;
      readonly actor: string;
      readonly reason: string;
    };

/** A step: one actor handled one message, and what it asked for was performed. Plain data, which may go to another thread. */
export type StepEvent = {
  readonly kind: "step";
  /** When it ended, in Unix milliseconds. */
  readonly atMs: number;
  /** The number of the node. */
  readonly node: ServerId;
  /** Which of its actors. */
  readonly actor: string;
  /** The message's kind. */
  readonly message: string;
  /** How many effects of each kind the actor asked for. */
  readonly effects: Readonly<Record<string, number>>;
  /** How many messages wait for the actor after the step. */
  readonly queued: number;
  /** How long deciding and performing took, in microseconds. */
  readonly tookUs: number;
};

/**
 * A decision: what an actor was given and what it asks for, before that is performed. For checkers on the actor's own thread: the
 * message, the effects and the state are the actor's own, and must not be changed.
 */
export type Decision = {
  readonly actor: string;
  readonly message: object;
  readonly effects: readonly Effect[];
  /** As it is after the decision. */
  readonly state: unknown;
  /** How many messages wait for the actor. */
  readonly queued: number;
};

/** The kind of a message, for logs. */
export function kindOf(message: object): string {
  return "kind" in message ? String(message.kind) : "unknown";
}
