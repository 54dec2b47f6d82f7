/** What is recorded of the requests of clients: each shape once, how often it came, and which clients sent it. */
import { type Shape, shapeOf, shapeOfHandshake } from "./shape.ts";

export type CountedShape = Shape & {
  readonly count: number;
  /** Names of the clients' programs. */
  readonly clients: readonly string[];
};

type Counted = { readonly shape: Shape; count: number; readonly clients: Set<string> };

export class Recording {
  readonly #counted = new Map<string, Counted>();

  add(client: string, shape: Shape): void {
    const key = JSON.stringify(shape);
    const counted = this.#counted.get(key) ?? { shape, count: 0, clients: new Set() };
    counted.count += 1;
    counted.clients.add(client);
    this.#counted.set(key, counted);
  }

  /** Sorted by what they are, so that a recording can be compared with the one before it. */
  shapes(): readonly CountedShape[] {
    const sorted = [...this.#counted].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return sorted.map(([, { shape, count, clients }]) => ({
      ...shape,
      count,
      clients: [...clients].sort(),
    }));
  }
}

const PING = 11;
const EVENT_XID = -1;

/** One connection as a proxy sees it: bytes of both directions, in the pieces in which they come. */
export class Recorder {
  readonly #recording: Recording;
  readonly #client: string;
  readonly #requests = new Frames();
  readonly #replies = new Frames();
  /** Undefined: none has come. It counts when it is answered: a client may call at servers that are not there. */
  #handshake: Buffer | undefined;
  #isAnswered = false;
  #unanswered = 0;
  #longest = 0;

  constructor(recording: Recording, client: string) {
    this.#recording = recording;
    this.#client = client;
  }

  sent(bytes: Buffer): void {
    for (const frame of this.#requests.take(bytes)) this.#request(frame);
  }

  #request(frame: Buffer): void {
    if (this.#handshake === undefined) {
      this.#handshake = Buffer.from(frame);
      return;
    }
    // Pings come by the clock: how many there are says nothing of the client.
    if (frame.readInt32BE(4) === PING) return;
    this.#recording.add(this.#client, shapeOf(frame));
    this.#unanswered += 1;
    this.#longest = Math.max(this.#longest, this.#unanswered);
  }

  received(bytes: Buffer): void {
    for (const frame of this.#replies.take(bytes)) this.#reply(frame);
  }

  #reply(frame: Buffer): void {
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      if (this.#handshake === undefined) return;
      this.#recording.add(this.#client, shapeOfHandshake(this.#handshake));
      return;
    }
    const xid = frame.readInt32BE(0);
    if (xid === EVENT_XID || xid === -2 || this.#unanswered === 0) return;
    this.#unanswered -= 1;
    if (this.#unanswered > 0) return;
    this.#recording.add(this.#client, { op: "burst", length: this.#longest });
    this.#longest = 0;
  }
}

const LENGTH_BYTES = 4;

/** The payloads of the frames of one direction. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);

  *take(bytes: Buffer): Generator<Buffer> {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) return;
      yield this.#rest.subarray(LENGTH_BYTES, end);
      this.#rest = this.#rest.subarray(end);
    }
  }
}
