/** Change streams of a client: each goes on by itself over reconnects, from the last zxid it has delivered. */
import { Observable, type Subscriber } from "rxjs";
import type { ChangeEvent } from "../protocol/changes.ts";
import { BadArgumentsError, errorOfCode } from "../protocol/errors.ts";
import { NATIVE_STREAMS_MAX } from "../protocol/limits.ts";
import type { ClientItem, GatewayItem } from "../protocol/native.ts";
import type { Zxid } from "../protocol/zxid.ts";

export type ChangesOptions = {
  /** Also of everything below the path. Default false. */
  readonly recursive?: boolean;
  /** Changes after this zxid. Default: after the last read of the path, or of the client if it has read nothing of it. */
  readonly from?: Zxid;
  /** Also `progress` marks. Default false. */
  readonly progress?: boolean;
};

/** What streams need of the session. */
export type StreamHost = {
  readonly lastZxid: () => Zxid;
  /** Says it on the current connection; while there is none, `reopen` will. */
  readonly tell: (item: ClientItem) => void;
};

type Stream = {
  readonly number: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly progress: boolean;
  readonly subscriber: Subscriber<ChangeEvent>;
  /** Everything up to here has been delivered. */
  after: Zxid;
  /** Delivered since credits were last granted. */
  consumed: number;
};

/** Changes under way to a stream at most, more or less one transaction. */
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
      this.#host.tell(opening(stream));
      return () => {
        if (!this.#streams.delete(stream.number)) return;
        this.#host.tell({ kind: "closeStream", stream: stream.number });
      };
    });
  }

  /** What a new connection is told first: every stream goes on where it stopped. */
  reopen(): ClientItem[] {
    return [...this.#streams.values()].map((stream) => {
      stream.consumed = 0;
      return opening(stream);
    });
  }

  hear(
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
    this.#host.tell({ kind: "credit", stream: stream.number, credits: stream.consumed });
    stream.consumed = 0;
  }

  /** Ends all: with the error, or, without one, as complete. */
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
