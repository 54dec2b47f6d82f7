/**
 * The channel of a simulated native client: what `client/nats-channel.ts` is to a real one, over the simulator's subjects. It tells a
 * witness what passes.
 */
import { PASSWORD_BYTES } from "../../../protocol/ids.ts";
import { decodeClientFrame, encodeClientFrame } from "../../../protocol/native.ts";
import { gatewaySubject, laneSubject } from "../../../protocol/subjects.ts";
import type { Channel } from "../../../client/driver.ts";
import type { ChannelEvent } from "../../../client/session/messages.ts";
import { ENSEMBLE, type SubjectClient, type Subjects } from "../subjects.ts";
import type { Heard, NativeWitness } from "./native-witness.ts";

export type SimChannelOptions = {
  readonly subjects: Subjects;
  readonly end: SubjectClient;
  readonly witness: NativeWitness;
  /** Numbers of connections up to this one were another session's. */
  readonly base: number;
  /** The only node that is asked for a connection. Undefined: any. */
  readonly home: number | undefined;
  /** The timeout that is asked for at this connection instead of the client's own; undefined: its own. */
  readonly renewal: () => { readonly askedMs: number; readonly grantedMs: number } | undefined;
};

export class SimChannel implements Channel {
  up = true;
  readonly #options: SimChannelOptions;
  #last: number;
  #closed = false;
  #onEvent: (event: ChannelEvent) => void = () => {};

  constructor(options: SimChannelOptions) {
    this.#options = options;
    this.#last = options.base;
  }

  /** The number of the last connection, among those of all sessions of the client. */
  get last(): number {
    return this.#last;
  }

  onEvent(handler: (event: ChannelEvent) => void): void {
    this.#onEvent = handler;
  }

  send(subject: string, connection: number, bytes: Uint8Array): void {
    if (!this.up || this.#closed) return;
    const { subjects, end, witness, base, home } = this.#options;
    const number = base + connection;
    this.#last = number;
    if (subject !== gatewaySubject(ENSEMBLE)) {
      witness.says(number, decodeClientFrame(bytes));
      subjects.say(end, number, subject, bytes);
      return;
    }
    const there = home === undefined ? subject : laneSubject(ENSEMBLE, home, 1);
    subjects.say(end, number, there, this.#opening(number, bytes));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** A frame of a gateway comes to the inbox of a connection. */
  receive(number: number, bytes: Uint8Array, heard: Heard): void {
    if (!this.up || this.#closed) return;
    this.#options.witness.hears(number, bytes, heard);
    this.#happen({ kind: "received", connection: number - this.#options.base, bytes });
  }

  noResponders(number: number): void {
    if (!this.up || this.#closed) return;
    this.#happen({ kind: "noResponders", connection: number - this.#options.base });
  }

  /** The connection to NATS breaks, or is there again. Nothing is carried meanwhile. */
  turn(up: boolean): void {
    if (this.#closed || this.up === up) return;
    this.up = up;
    this.#happen({ kind: up ? "up" : "down" });
  }

  #happen(event: ChannelEvent): void {
    this.#onEvent(event);
  }

  #opening(number: number, bytes: Uint8Array): Uint8Array {
    const { witness, renewal } = this.#options;
    const { sequence, items } = decodeClientFrame(bytes);
    const [open] = items;
    if (open?.kind !== "open" || open.password.length !== PASSWORD_BYTES) {
      throw new Error("a connection begins with something else than its opening");
    }
    const other = renewal();
    witness.opens(number, open, other?.grantedMs);
    if (other === undefined) return bytes;
    return encodeClientFrame({ sequence, items: [{ ...open, timeoutMs: other.askedMs }] });
  }
}
