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

type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly progress: boolean;
  readonly subscriber: Subscriber<ChangeEvent>;
  /** Every change up to this zxid has been delivered. */
  after: Zxid;
  /** How many changes have been delivered since credits were last granted. */
  consumed: number;
};

/** How many changes may be under way to one stream. The changes of the transaction that reaches the limit may exceed it. */
const CREDITS = 1024;

export class Streams {
  readonly #host: StreamHost;
  readonly #streams = new Map<number, Stream>();
  #next = 1;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#streams.size;
  }

  changes(path: string, options: ChangesOptions): Observable<ChangeEvent> {
    return new Observable((subscriber) => {
      if (this.#streams.size >= NATIVE_STREAMS_MAX) {
        const message = `a client has at most ${NATIVE_STREAMS_MAX} streams of changes at once`;
        subscriber.error(new BadArgumentsError(message));
        return undefined;
      }
      const stream: Stream = {
        number: this.#next,
        path,
        recursive: options.recursive ?? false,
        progress: options.progress ?? false,
        subscriber,
        after: options.from ?? this.#host.lastZxid(),
        consumed: 0,
      };
      this.#next += 1;
      this.#streams.set(stream.number, stream);
      this.#host.send(opening(stream));
      return () => {
        if (!this.#streams.delete(stream.number)) return;
        this.#host.send({ kind: "closeStream", stream: stream.number });
      };
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
    if (item.kind === "streamRefused") {
      this.#streams.delete(stream.number);
      stream.subscriber.error(errorOfCode(item.code, stream.path));
      return;
    }
    if (item.kind === "compacted") {
      this.#streams.delete(stream.number);
      stream.subscriber.next({ kind: "compacted", oldest: item.oldest });
      stream.subscriber.complete();
      return;
    }
    stream.after = item.through;
    for (const change of item.changes) stream.subscriber.next(change);
    if (stream.progress) stream.subscriber.next({ kind: "progress", zxid: item.through });
    stream.consumed += item.changes.length;
    if (stream.consumed < CREDITS / 2 || stream.subscriber.closed) return;
    this.#host.send({ kind: "credit", stream: stream.number, credits: stream.consumed });
    stream.consumed = 0;
  }

  /** Ends every stream: with the error if there is one, else as complete. */
  end(error: Error | undefined): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { subscriber } of streams) {
      if (error === undefined) subscriber.complete();
      else subscriber.error(error);
    }
  }
}

function opening({ number, path, recursive, after }: Stream): ClientItem {
  return { kind: "openStream", stream: number, path, recursive, after, credits: CREDITS };
}
