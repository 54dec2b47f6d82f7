/**
 * Messages between the nodes of an ensemble. Whatever carries them may lose, repeat, delay or reorder them; every protocol
 * above carries its own epochs, sequence numbers and resync. Used from one thread.
 */
import type { Observable } from "rxjs";
import type { PeerId } from "./effects.ts";

export type Incoming = {
  readonly from: PeerId;
  /** Of this node, to which the message goes. */
  readonly actor: string;
  /** The receiver's own: never written again by the transport. */
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

export interface Transport {
  /** Called for every message to an actor of this node. Set once, before `start`. */
  onReceive(handler: (incoming: Incoming) => void): void;
  /** Direct. */
  send(to: PeerId, actor: string, bytes: Uint8Array): void;
  /** To every other node that listens; published once. */
  broadcast(actor: string, bytes: Uint8Array): void;
  request(
    to: PeerId,
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

/** How the runtime turns messages into bytes and back. */
export type Codec = {
  readonly encode: (message: object) => Uint8Array;
  /** Throws on bytes that are no message. */
  readonly decode: (bytes: Uint8Array) => object;
};
