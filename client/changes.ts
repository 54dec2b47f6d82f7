/** The change streams of a client. A stream survives reconnects: it continues after the last zxid that it has delivered. */
import { Observable, type Subscriber } from "rxjs";
import type { ChangeEvent } from "../protocol/changes.ts";
import { BadArgumentsError, errorOfCode } from "../protocol/errors.ts";
import { NATIVE_STREAMS_MAX } from "../protocol/limits.ts";
import type { ClientItem, GatewayItem } from "../protocol/native.ts";
import type { Zxid } from "../protocol/zxid.ts";

export type ChangesOptions = {
  /** True: changes of all znodes below the path are delivered too. Default false. */
  readonly recursive?: boolean;
  /**
   * The stream begins with the first change after this zxid. Default: the zxid of the last read of the path through this client; if
   * there was none, the last zxid that the client has seen at all.
   */
  readonly from?: Zxid;
  /** True: `progress` events are delivered between the changes. Default false. */
  readonly progress?: boolean;
};

/** What the streams use of the session. */
export type StreamHost = {
  readonly lastZxid: () => Zxid;
  /** Sends the item on the current connection. Without one the item is dropped: the next connection begins with `reopen`. */
  readonly send: (item: ClientItem) => void;
};

type Subscription = {
  readonly progress: boolean;
  readonly subscriber: Subscriber<ChangeEvent>;
  stream: Stream;
};

/**
 * A stream at a gateway. Subscriptions of the same znodes that stand at the same place share one, so that their changes come and are
 * decoded once.
 */
type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly subscriptions: Set<Subscription>;
  /** Every change up to this zxid has been delivered. */
  after: Zxid;
  /** The gateway has answered. Whoever subscribes from now on wants an answer too: what it asks for may be compacted. */
  answered: boolean;
  /** How many changes have been delivered since credits were last granted. */
  consumed: number;
};

/** How many changes may be under way to one stream. The changes of the transaction that reaches the limit may exceed it. */
const CREDITS = 8192;

export class Streams {
  readonly #host: StreamHost;
  readonly #streams = new Map<number, Stream>();
  /** By path and whether they are recursive. */
  readonly #alike = new Map<string, Set<Stream>>();
  readonly #subscriptions = new Set<Subscription>();
  #next = 1;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#streams.size;
  }

  changes(path: string, options: ChangesOptions): Observable<ChangeEvent> {
    return new Observable((subscriber) => {
      if (this.#subscriptions.size >= NATIVE_STREAMS_MAX) {
        const message = `a client has at most ${NATIVE_STREAMS_MAX} streams of changes at once`;
        subscriber.error(new BadArgumentsError(message));
        return undefined;
      }
      const { recursive = false, progress = false, from: after = this.#host.lastZxid() } = options;
      const stream = this.#unanswered(path, recursive, after) ?? this.#open(path, recursive, after);
      const subscription: Subscription = { progress, subscriber, stream };
      stream.subscriptions.add(subscription);
      this.#subscriptions.add(subscription);
      return () => this.#unsubscribe(subscription);
    });
  }

  /** What to send first on a new connection: every stream continues where it stopped. */
  reopen(): ClientItem[] {
    return [...this.#streams.values()].map((stream) => {
      stream.consumed = 0;
      return opening(stream);
    });
  }

  receive(
    item: Extract<GatewayItem, { readonly kind: "changes" | "compacted" | "streamRefused" }>,
  ): void {
    const stream = this.#streams.get(item.stream);
    if (stream === undefined) return;
    if (item.kind === "changes") {
      this.#deliver(stream, item);
      return;
    }
    this.#remove(stream);
    for (const { subscriber } of stream.subscriptions) {
      if (item.kind === "streamRefused") subscriber.error(errorOfCode(item.code, stream.path));
      else {
        subscriber.next({ kind: "compacted", oldest: item.oldest });
        subscriber.complete();
      }
    }
  }

  #deliver(
    stream: Stream,
    { changes, through }: Extract<GatewayItem, { readonly kind: "changes" }>,
  ): void {
    stream.after = through;
    stream.answered = true;
    for (const { subscriber, progress } of stream.subscriptions) {
      for (const change of changes) subscriber.next(change);
      if (progress) subscriber.next({ kind: "progress", zxid: through });
    }
    // A subscriber may have ended the stream.
    if (!this.#streams.has(stream.number) || this.#joinAnother(stream)) return;
    stream.consumed += changes.length;
    if (stream.consumed < CREDITS / 2) return;
    this.#host.send({ kind: "credit", stream: stream.number, credits: stream.consumed });
    stream.consumed = 0;
  }

  #unanswered(path: string, recursive: boolean, after: Zxid): Stream | undefined {
    for (const stream of this.#alike.get(keyOf(path, recursive)) ?? []) {
      if (!stream.answered && stream.after === after) return stream;
    }
    return undefined;
  }

  #open(path: string, recursive: boolean, after: Zxid): Stream {
    const number = this.#next;
    this.#next += 1;
    const subscriptions = new Set<Subscription>();
    const stream: Stream = {
      ...{ number, path, recursive, subscriptions, after },
      answered: false,
      consumed: 0,
    };
    this.#streams.set(number, stream);
    const key = keyOf(path, recursive);
    const alike = this.#alike.get(key) ?? new Set<Stream>();
    this.#alike.set(key, alike.add(stream));
    this.#host.send(opening(stream));
    return stream;
  }

  /** Another stream of the same znodes may stand where this one has come to. It then goes on for the subscriptions of both. */
  #joinAnother(stream: Stream): boolean {
    for (const other of this.#alike.get(keyOf(stream.path, stream.recursive)) ?? []) {
      if (other === stream || !other.answered || other.after !== stream.after) continue;
      for (const subscription of stream.subscriptions) {
        subscription.stream = other;
        other.subscriptions.add(subscription);
      }
      this.#close(stream);
      return true;
    }
    return false;
  }

  #unsubscribe(subscription: Subscription): void {
    const { stream } = subscription;
    this.#subscriptions.delete(subscription);
    stream.subscriptions.delete(subscription);
    if (stream.subscriptions.size === 0 && this.#streams.has(stream.number)) this.#close(stream);
  }

  #close(stream: Stream): void {
    this.#remove(stream);
    this.#host.send({ kind: "closeStream", stream: stream.number });
  }

  #remove(stream: Stream): void {
    this.#streams.delete(stream.number);
    const key = keyOf(stream.path, stream.recursive);
    const alike = this.#alike.get(key);
    alike?.delete(stream);
    if (alike?.size === 0) this.#alike.delete(key);
  }

  /** Ends every stream: with the error if there is one, else as complete. */
  end(error: Error | undefined): void {
    const subscriptions = [...this.#subscriptions];
    this.#streams.clear();
    this.#alike.clear();
    for (const { subscriber } of subscriptions) {
      if (error === undefined) subscriber.complete();
      else subscriber.error(error);
    }
  }
}

function opening({ number, path, recursive, after }: Stream): ClientItem {
  return { kind: "openStream", stream: number, path, recursive, after, credits: CREDITS };
}

function keyOf(path: string, recursive: boolean): string {
  return `${recursive ? "all" : "one"} ${path}`;
}
