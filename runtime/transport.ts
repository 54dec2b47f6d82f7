/**
 * Messages between the nodes of an ensemble. Whatever carries them may lose, repeat, delay or reorder them; every protocol
 * above carries its own epochs, sequence numbers and resync. Used from one thread.
 */
import type { Observable } from "rxjs";
import type { EventDetail, LogLevel, ServerId } from "./effects.ts";

export type Incoming = {
  readonly from: ServerId;
  /** The actor of this node to which the message goes. */
  readonly actor: string;
  /** They belong to the receiver: the transport never writes to them again. */
  readonly bytes: Uint8Array;
  /** Set when the sender waits for an answer; used at most once. */
  readonly answer: ((bytes: Uint8Array) => void) | undefined;
};

export type TransportOutcome =
  | { readonly kind: "answered"; readonly bytes: Uint8Array }
  /** Nobody listens there: that process is gone, or not yet there. Known at once. */
  | { readonly kind: "noResponders" }
  | { readonly kind: "timedOut" };

export type TransportStatus = "connected" | "disconnected";

/** A message for whoever listens to the subject. */
export type Offered = { readonly subject: string; readonly text: string };

/** The way to clients: those that listen to subjects, not the actors of other nodes. */
export interface Publisher {
  publish(subject: string, bytes: Uint8Array): void;
  /** In order. What would have to wait, or to go in fragments, is dropped, so that nothing that is published is held up. */
  offer(messages: readonly Offered[]): void;
}

export interface Transport {
  /** Called for every message to an actor of this node. Set once, before `start`. */
  onReceive(handler: (incoming: Incoming) => void): void;
  /** Called when a message that was sent to one node has found no process there. Set once, before `start`. */
  onUnheard(handler: (to: ServerId) => void): void;
  /** To one node. */
  send(to: ServerId, actor: string, bytes: Uint8Array): void;
  /** To every other node that listens; published once. */
  broadcast(actor: string, bytes: Uint8Array): void;
  request(
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void;
  /** To whoever listens to the subject: clients, not the actors of other nodes. */
  publish(subject: string, bytes: Uint8Array): void;
  /** The current status at once, then each change. */
  readonly status$: Observable<TransportStatus>;
  /** Hands over what was sent, then closes. Nothing is received afterwards. */
  close(): Promise<void>;
}

export type Arrived = Pick<Incoming, "from" | "actor" | "bytes"> & {
  /** It answers a request of the actor, and comes from the node that was asked. */
  readonly isAnswer: boolean;
};

/** A decoded message that names a peer as its sender. */
export type PeerLetter = {
  readonly from: ServerId;
  /** The actor it is for. */
  readonly actor: string;
  readonly message: unknown;
  readonly isAnswer: boolean;
};

/** Why a letter is refused, or undefined when the actor may have it. */
export type PeerCheck = (letter: PeerLetter) => string | undefined;

/** Who sent a message, as the gate knows it. */
export type PeerSender = {
  /** The identity of its data folder. */
  readonly identity: string;
  /** How often that folder was started. */
  readonly incarnation: number;
  /** A random number of the process. */
  readonly nonce: number;
  /** Undefined: the node belongs to no ensemble yet. */
  readonly ensembleId: string | undefined;
  /** Its folder is the one that is bound to its number, so what it says may count for a quorum. */
  readonly isVoter: boolean;
  /** Its folder has its number in a configuration in force, or in one that is not yet known to be: it may lead. */
  readonly isNamed: boolean;
};

/** What becomes of bytes that came from another node. */
export type Admission =
  | { readonly kind: "taken"; readonly sender: PeerSender; readonly message: object }
  /** No actor sees the message. Each of the fields below says something else to do. */
  | {
      readonly kind: "refused";
      /** For the sender. */
      readonly reply?: Uint8Array | undefined;
      /** For the inspection stream. */
      readonly log?: PeerLogLine | undefined;
      /** For an actor of this node. */
      readonly tell?: { readonly to: string; readonly message: object } | undefined;
    };

export type PeerLogLine = {
  readonly level: LogLevel;
  readonly event: string;
  readonly detail: EventDetail;
};

/** Turns messages between nodes into bytes and back, and decides which messages of other nodes come in. */
export interface PeerGate {
  /** The message as bytes; undefined while this node may not speak yet. */
  seal(message: object): Uint8Array | undefined;
  admit(incoming: Arrived, nowMs: number): Admission;
  /** Says which actors of this node are told that no process of that node has heard a message. */
  unheard(by: ServerId): readonly { readonly to: string; readonly message: object }[];
}
