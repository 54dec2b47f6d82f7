/**
 * Messages between nodes with proof that their sender holds the ensemble's key. Behind the frame comes a trailer:
 *
 *   offset  size  field (big-endian)
 *   0       2     the node that it is for; 0xffff: all
 *   2       2     reserved, 0
 *   4       32    HMAC-SHA256 of all that it must not be taken out of: ensemble, actor, the request that it answers, frame, trailer
 *
 * A message is good for one ensemble, one receiver (or all), one actor and, if it is an answer, one request. Within these it may be
 * repeated or come late, as on any network: protocols above number what matters. Why HMAC: docs/decisions/0015-peer-keys.md.
 */
import type { ServerId } from "../protocol/ids.ts";
import type { Observable } from "rxjs";
import { PEER_FRAME_AUTHENTICATION_OFFSET, PEER_FRAME_HEAD_BYTES } from "../protocol/peer-frame.ts";
import type {
  Incoming,
  Transport,
  TransportOutcome,
  TransportStatus,
} from "../runtime/transport.ts";
import type { NatsLog } from "../runtime/nats/link.ts";
import { type PeerKeys, TAG_BYTES } from "./peer-keys.ts";

const TARGET_BYTES = 4;
const TRAILER_BYTES = TARGET_BYTES + TAG_BYTES;
const TO_ALL = 0xffff;
const NONE = 0;
const HMAC_SHA256 = 1;
const NO_REQUEST = new Uint8Array(0);
/** After this time the same refusal of the same node is logged again. */
const SAY_AGAIN_MS = 60_000;

export type AuthenticatedTransportOptions = {
  readonly transport: Transport;
  readonly id: ServerId;
  readonly ensemble: string;
  /** Undefined: this node has no keys, and refuses messages that are signed, which it logs. */
  readonly keys: PeerKeys | undefined;
  readonly log: NatsLog;
  readonly nowMs: () => number;
};

/** Why a message is refused. */
type Fault = "no key here" | "no authentication" | "wrong key" | "for another node";

const HINTS: Readonly<Record<Fault, string>> = {
  "no key here":
    "that node authenticates its messages and this one has no key: start it with the same --peer-key-file",
  "no authentication":
    "it has no key: start that node with the same --peer-key-file, or a stranger publishes under its name",
  "wrong key":
    "it has another key, the message was changed or taken from elsewhere, or a stranger publishes under its name",
  "for another node":
    "a message to another node was sent to this one: somebody repeats what he heard",
};

export class AuthenticatedTransport implements Transport {
  readonly status$: Observable<TransportStatus>;
  readonly #options: AuthenticatedTransportOptions;
  readonly #said = new Map<string, { atMs: number; times: number }>();
  #refused = 0;

  constructor(options: AuthenticatedTransportOptions) {
    this.#options = options;
    this.status$ = options.transport.status$;
  }

  /** How many messages have been refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  onReceive(handler: (incoming: Incoming) => void): void {
    this.#options.transport.onReceive((incoming) => {
      const { from, actor, answer } = incoming;
      const bytes = this.#open(from, actor, incoming.bytes, NO_REQUEST);
      if (bytes === undefined) return;
      const request = this.#tagIn(incoming.bytes);
      const answered = (given: Uint8Array): void => {
        answer?.(this.#seal(from, actor, given, request));
      };
      handler({ from, actor, bytes, answer: answer === undefined ? undefined : answered });
    });
  }

  onUnheard(handler: (to: ServerId) => void): void {
    this.#options.transport.onUnheard(handler);
  }

  send(to: ServerId, actor: string, bytes: Uint8Array): void {
    this.#options.transport.send(to, actor, this.#seal(to, actor, bytes, NO_REQUEST));
  }

  broadcast(actor: string, bytes: Uint8Array): void {
    this.#options.transport.broadcast(actor, this.#seal(TO_ALL, actor, bytes, NO_REQUEST));
  }

  request(
    to: ServerId,
    actor: string,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcome: TransportOutcome) => void,
  ): void {
    const sealed = this.#seal(to, actor, bytes, NO_REQUEST);
    const request = this.#tagIn(sealed);
    this.#options.transport.request(to, actor, sealed, timeoutMs, (outcome) => {
      if (outcome.kind !== "answered") return done(outcome);
      const answer = this.#open(to, actor, outcome.bytes, request);
      // As if it had been lost.
      done(answer === undefined ? { kind: "timedOut" } : { kind: "answered", bytes: answer });
    });
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#options.transport.publish(subject, bytes);
  }

  close(): Promise<void> {
    return this.#options.transport.close();
  }

  #seal(to: number, actor: string, frame: Uint8Array, request: Uint8Array): Uint8Array {
    const { keys } = this.#options;
    if (keys === undefined) return frame;
    const sealed = new Uint8Array(frame.length + TRAILER_BYTES);
    sealed.set(frame);
    sealed[PEER_FRAME_AUTHENTICATION_OFFSET] = HMAC_SHA256;
    const view = new DataView(sealed.buffer);
    view.setUint16(frame.length, to);
    const signed = sealed.subarray(0, frame.length + TARGET_BYTES);
    sealed.set(keys.sign([this.#context(actor, request), signed]), signed.length);
    return sealed;
  }

  /** The frame, or undefined if it is refused. */
  #open(
    from: ServerId,
    actor: string,
    bytes: Uint8Array,
    request: Uint8Array,
  ): Uint8Array | undefined {
    const { keys, id } = this.#options;
    const kind = bytes[PEER_FRAME_AUTHENTICATION_OFFSET];
    if (keys === undefined) {
      return kind === HMAC_SHA256 ? this.#refuse(from, actor, "no key here") : bytes;
    }
    const length = bytes.length - TRAILER_BYTES;
    if (kind !== HMAC_SHA256 || length < PEER_FRAME_HEAD_BYTES) {
      return this.#refuse(from, actor, "no authentication");
    }
    const signed = bytes.subarray(0, length + TARGET_BYTES);
    const tag = bytes.subarray(length + TARGET_BYTES);
    if (!keys.verify([this.#context(actor, request), signed], tag)) {
      return this.#refuse(from, actor, "wrong key");
    }
    const to = new DataView(bytes.buffer, bytes.byteOffset + length, 2).getUint16(0);
    if (to !== id && to !== TO_ALL) return this.#refuse(from, actor, "for another node");
    const frame = bytes.slice(0, length);
    frame[PEER_FRAME_AUTHENTICATION_OFFSET] = NONE;
    return frame;
  }

  /** What a signature is bound to, so that a message is good for nothing else. The names hold no zero byte, so it is unambiguous. */
  #context(actor: string, request: Uint8Array): Uint8Array {
    const names = new TextEncoder().encode(`zooid peer\0${this.#options.ensemble}\0${actor}\0`);
    return Buffer.concat([names, Uint8Array.of(request.length), request]);
  }

  #tagIn(bytes: Uint8Array): Uint8Array {
    const { keys } = this.#options;
    return keys === undefined ? NO_REQUEST : bytes.slice(Math.max(0, bytes.length - TAG_BYTES));
  }

  #refuse(from: ServerId, actor: string, fault: Fault): undefined {
    this.#refused += 1;
    const nowMs = this.#options.nowMs();
    const key = `${from} ${fault}`;
    const said = this.#said.get(key) ?? { atMs: Number.NEGATIVE_INFINITY, times: 0 };
    this.#said.set(key, said);
    said.times += 1;
    if (nowMs - said.atMs < SAY_AGAIN_MS) return undefined;
    said.atMs = nowMs;
    const detail = { from, to: actor.slice(0, 40), fault, hint: HINTS[fault], times: said.times };
    this.#options.log("error", "peerNotAuthenticated", detail);
    return undefined;
  }
}
