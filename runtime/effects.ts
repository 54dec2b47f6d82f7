/**
 * What an actor may ask of the runtime. Effects are plain data: they can be logged, compared in a test, and sent
 * between threads. The runtime performs them in order after the actor has returned.
 */
import type { SecurePeer } from "./connections/tls/terms.ts";
import type { DiskOperation } from "./disk.ts";
import type { Offered, PeerSender } from "./transport.ts";

/**
 * A node's number in its ensemble. It is the same type as `ServerId` of the protocol, from which the runtime may not import: types are
 * equal if their structure is. The transport creates it from what it receives, after checking the range.
 */
export type ServerId = number & { readonly __brand: "ServerId" };

/** Fields of one event on the inspection stream: short, loggable values only. */
export type EventDetail = Readonly<Record<string, string | number | boolean | undefined>>;

/** How much it matters to operators. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** To another actor of this node, on whichever thread it lives. In order per sender and receiver, never lost. */
export type TellEffect = { readonly kind: "tell"; readonly to: string; readonly message: object };

/** A timer of this actor. Comes back as `timer`. Starting a running timer restarts it. */
export type TimerEffect<Timer extends string = string> =
  | { readonly kind: "startTimer"; readonly timer: Timer; readonly afterMs: number }
  | { readonly kind: "stopTimer"; readonly timer: Timer };

/**
 * Comes back as `endOfTurn` once all messages that wait on this thread have been handled, however often it was asked for: so what
 * they brought is done together, as one batch.
 */
export type EndOfTurnEffect = { readonly kind: "endOfTurn" };

/**
 * A value for the actors that are wired to this topic, and for whoever observes it. With `keep` it is a state: an actor that starts
 * again is told the last one again, and an observer hears it at once.
 */
export type EmitEffect = {
  readonly kind: "emit";
  readonly topic: string;
  readonly value: object;
  readonly keep: boolean;
};

/** A line for the inspection stream. */
export type LogEffect = {
  readonly kind: "log";
  readonly level: LogLevel;
  readonly event: string;
  readonly detail: EventDetail;
};

/** Stops the node: something that must hold does not. Nothing of this turn, or of a later one, is performed after it. */
export type StopNodeEffect = { readonly kind: "stopNode"; readonly reason: string };

/** What every actor may ask for. */
export type LocalEffect<Timer extends string = string> =
  | TellEffect
  | TimerEffect<Timer>
  | EndOfTurnEffect
  | EmitEffect
  | LogEffect
  | StopNodeEffect;

/** Messages to other nodes. They may be lost, repeated, delayed or reordered. */
export type PeerEffect =
  | {
      readonly kind: "send";
      readonly to: ServerId;
      readonly actor: string;
      readonly message: object;
    }
  /** To the same actor of every other node: published once. */
  | { readonly kind: "broadcast"; readonly actor: string; readonly message: object }
  /** A send that is answered: the outcome comes as `answered`, `noResponders` or `requestTimedOut` with this tag. */
  | {
      readonly kind: "request";
      readonly to: ServerId;
      readonly actor: string;
      readonly message: object;
      readonly tag: number;
      readonly timeoutMs: number;
    }
  /** The answer to a `received` message that carried this `request` number. */
  | { readonly kind: "answer"; readonly request: number; readonly message: object };

/** Performed one after the other; the outcome comes as `diskDone` or, from the first that fails, `diskFailed`. */
export type DiskEffect = {
  readonly kind: "disk";
  readonly tag: number;
  readonly operations: readonly DiskOperation[];
};

/** Client connections of this thread. */
export type ConnectionEffect =
  | { readonly kind: "write"; readonly connection: number; readonly bytes: Uint8Array }
  /** Closes a client connection after what was written before has been flushed. */
  | { readonly kind: "close"; readonly connection: number }
  /** No more `bytes` from a client connection until `resumeReading`; what it sends meanwhile waits in the network. */
  | { readonly kind: "pauseReading"; readonly connection: number }
  | { readonly kind: "resumeReading"; readonly connection: number };

/** A message for clients that listen to a subject of the transport. Actors of other nodes do not hear it. */
export type PublishEffect = {
  readonly kind: "publish";
  readonly subject: string;
  readonly bytes: Uint8Array;
};

/** Messages for whoever listens, of which any may be dropped: they never hold up what is published. */
export type OfferEffect = { readonly kind: "offer"; readonly messages: readonly Offered[] };

export type Effect =
  | LocalEffect
  | PeerEffect
  | DiskEffect
  | ConnectionEffect
  | PublishEffect
  | OfferEffect;

/** What the runtime tells an actor, beside what other actors tell it. */
export type TimerMessage<Timer extends string = string> = {
  readonly kind: "timer";
  readonly timer: Timer;
};

/** The `endOfTurn` that was asked for. */
export type EndOfTurn = { readonly kind: "endOfTurn" };

/** A message from an actor of another node. `request` is set when the sender waits for an `answer`. */
export type ReceivedMessage<Message> = {
  readonly kind: "received";
  readonly from: ServerId;
  readonly sender: PeerSender;
  readonly message: Message;
  readonly request?: number | undefined;
};

/** How a `request` ended. `noResponders`: nobody listens there, so that process is gone. */
export type RequestOutcome<Answer> =
  | {
      readonly kind: "answered";
      readonly tag: number;
      readonly from: ServerId;
      readonly sender: PeerSender;
      readonly message: Answer;
    }
  | { readonly kind: "noResponders"; readonly tag: number; readonly to: ServerId }
  | { readonly kind: "requestTimedOut"; readonly tag: number; readonly to: ServerId };

/** One client connection of this thread's listener. Numbers are never used again. */
export type ConnectionMessage =
  /** A client was turned away before it had a connection. */
  | { readonly kind: "refused"; readonly remoteAddress: string; readonly reason: string }
  /** `remoteAddress` is `address:port`. With `secure` it is a connection of TLS. */
  | {
      readonly kind: "opened";
      readonly connection: number;
      readonly remoteAddress: string;
      readonly secure?: SecurePeer;
    }
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array }
  /**
   * All that was written has gone out. Comes when that had been more than 256 KiB since the last `drained` (or since
   * `opened`), so an actor that waits for it must have written more.
   */
  | { readonly kind: "drained"; readonly connection: number }
  /** Part of a large write has been taken by the client; `drained` comes when all of it has. */
  | { readonly kind: "taken"; readonly connection: number }
  /** The client will send nothing more, and may still be reading. The actor closes the connection when it has no more to say. */
  | { readonly kind: "ended"; readonly connection: number }
  /** `reason` when the listener itself cut it off: its client does not read. */
  | { readonly kind: "closed"; readonly connection: number; readonly reason?: string | undefined };
