/** Change streams for readers in the node's own process, over the changes actor. */
import { Observable } from "rxjs/internal/Observable";
import type { ChangesMessage, ReaderItem } from "../actors/changes/messages.ts";
import { checkChangesOptions, checkPath } from "../protocol/arguments.ts";
import type { ChangeEvent, Recursive } from "../protocol/changes.ts";
import { BadArgumentsError } from "../protocol/errors.ts";
import { CHANGE_READERS_MAX } from "../protocol/limits.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { ChangesFailedError, NodeStoppedError } from "./errors.ts";
import { observe } from "./wiring.ts";

/** Which changes a stream in the node's own process has, and where it begins. */
export type ChangesOptions = {
  /** True: also of everything below the path. `children`: also of its children. Default false. */
  readonly recursive?: Recursive;
  /** Changes after this zxid. Default: from the subscription on, or from when the node first serves, if that is later. */
  readonly from?: Zxid;
  /** True: `progress` events are delivered between the changes. Default false. */
  readonly progress?: boolean;
};

/** The subscriber or the iteration behind a reader. */
type Receiver = {
  readonly take: (item: ReaderItem) => void;
  /** The node has stopped; with the error when it stopped itself. */
  readonly end: (error: NodeStoppedError | undefined) => void;
};

type Reader = {
  /** It has taken the item before, and takes the next. */
  readonly taken: () => void;
  readonly close: () => void;
};

/**
 * Changes in order, each once, without a gap. Each subscription, and each iteration, is a stream of its own, which begins when it is
 * made and ends when it is given up. It completes after `compacted` and when the node is stopped, and errors with NodeStoppedError when the
 * node stops itself.
 *
 * A subscriber is called on the thread on which the node's own work is done, so it must return soon. Whoever needs time iterates:
 *
 *     for await (const change of node.changes("/jobs", { recursive: true })) await handle(change);
 *
 * While it is busy nothing is fetched for it, so it costs bounded memory however slow it is; one that falls so far behind that the
 * node no longer keeps what comes next is told `compacted`.
 */
export class Changes extends Observable<ChangeEvent> implements AsyncIterable<ChangeEvent> {
  readonly #open: (receiver: Receiver) => Reader;
  readonly #progress: boolean;

  /** @internal */
  constructor(open: (receiver: Receiver) => Reader, progress: boolean) {
    super((subscriber) => {
      const reader = open({
        take: (item) => {
          if (item.kind === "failed") subscriber.error(failure(item.reason));
          else for (const event of eventsOf(item, progress)) subscriber.next(event);
          if (item.kind === "compacted") subscriber.complete();
          else if (!subscriber.closed) reader.taken();
        },
        end: (error) => (error === undefined ? subscriber.complete() : subscriber.error(error)),
      });
      return () => reader.close();
    });
    this.#open = open;
    this.#progress = progress;
  }

  /** Begins the stream for one loop, which ends it when it is left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ChangeEvent, void, undefined> {
    return new ChangeIterator(this.#open, this.#progress);
  }
}

/** One iteration. `return` ends it at once, also while a `next` waits. */
class ChangeIterator implements AsyncIterableIterator<ChangeEvent, void, undefined> {
  readonly #reader: Reader;
  readonly #progress: boolean;
  /** What was given last, as far as it was looked at: its events, and how many of them were handed out. */
  #events: readonly ChangeEvent[] = [];
  #handedOut = 0;
  /** What was given and not looked at yet. */
  #item: ReaderItem | undefined;
  #end: { readonly error: NodeStoppedError | undefined } | undefined;
  #wake = (): void => undefined;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(open: (receiver: Receiver) => Reader, progress: boolean) {
    this.#progress = progress;
    this.#reader = open({
      take: (item) => {
        this.#item = item;
        this.#wake();
      },
      end: (error) => {
        this.#end ??= { error };
        this.#wake();
      },
    });
  }

  next(): Promise<IteratorResult<ChangeEvent, void>> {
    const result = this.#previous.then(() => this.#take());
    this.#previous = result.catch(() => undefined);
    return result;
  }

  return(): Promise<IteratorResult<ChangeEvent, void>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<IteratorResult<ChangeEvent, void>> {
    for (;;) {
      const event = this.#events[this.#handedOut];
      if (event !== undefined) {
        this.#handedOut += 1;
        return { done: false, value: event };
      }
      if (this.#events.length > 0) this.#reader.taken();
      this.#events = [];
      const item = await this.#next();
      if (item === undefined) return { done: true, value: undefined };
      if (item.kind === "failed") {
        this.#close();
        throw failure(item.reason);
      }
      this.#handedOut = 0;
      this.#events = [...eventsOf(item, this.#progress)];
      if (item.kind === "compacted") this.#close();
      else if (this.#events.length === 0) this.#reader.taken();
    }
  }

  /** Undefined: there is no more. Throws NodeStoppedError. */
  async #next(): Promise<ReaderItem | undefined> {
    while (this.#item === undefined && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const item = this.#item;
    this.#item = undefined;
    if (item === undefined && this.#end?.error !== undefined) throw this.#end.error;
    return item;
  }

  #close(): void {
    this.#end ??= { error: undefined };
    this.#item = undefined;
    this.#reader.close();
    this.#wake();
  }
}

/** The readers of a node. */
export class ChangeStreams {
  readonly #system: ActorSystem;
  readonly #receivers = new Map<number, Receiver>();
  #next = 1;
  #end: { readonly error: NodeStoppedError | undefined } | undefined;

  constructor(system: ActorSystem) {
    this.#system = system;
    observe(system, "streamed").subscribe(({ reader, item }) => this.#given(reader, item));
  }

  /** Throws BadArgumentsError. */
  changes(path: string, options: ChangesOptions = {}): Changes {
    checkPath(path);
    checkChangesOptions(options);
    const { recursive = false, from: after, progress = false } = options;
    const open = (receiver: Receiver): Reader => {
      if (this.#end !== undefined) {
        throw this.#end.error ?? new NodeStoppedError("the node was stopped");
      }
      if (this.#receivers.size >= CHANGE_READERS_MAX) {
        throw new BadArgumentsError(
          `a node has at most ${CHANGE_READERS_MAX} streams of changes in its own process at once`,
        );
      }
      const reader = this.#next;
      this.#next += 1;
      this.#receivers.set(reader, receiver);
      this.#say({ kind: "openReader", reader, path, recursive, after });
      return {
        taken: () => this.#say({ kind: "taken", reader }),
        close: () => {
          if (this.#receivers.delete(reader)) this.#say({ kind: "closeReader", reader });
        },
      };
    };
    return new Changes(open, progress);
  }

  /** The node stops; with an error when it does so by itself. */
  end(error: NodeStoppedError | undefined): void {
    this.#end = { error };
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    for (const receiver of receivers) receiver.end(error);
  }

  #given(reader: number, item: ReaderItem): void {
    this.#receivers.get(reader)?.take(item);
  }

  #say(message: ChangesMessage): void {
    this.#system.tell("changes", message);
  }
}

function* eventsOf(
  item: Exclude<ReaderItem, { readonly kind: "failed" }>,
  progress: boolean,
): Generator<ChangeEvent, void, undefined> {
  if (item.kind === "compacted") {
    yield item;
    return;
  }
  yield* item.changes;
  if (progress) yield { kind: "progress", zxid: item.through };
}

function failure(reason: string): ChangesFailedError {
  return new ChangesFailedError(`a bug of zooid has ended the stream of changes (${reason})`);
}
