/**
 * What the streams ask of a session, with callbacks in place of promises: so the simulator runs them under virtual time, where nothing
 * waits for the end of a thread's turn.
 */
import { Code } from "../../protocol/codes.ts";
import { errorOfCode, ZooidError } from "../../protocol/errors.ts";
import type { NativeRead, NativeResult } from "../../protocol/native-packing.ts";
import type { ChildrenPage } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Answer } from "../session/messages.ts";
import type { Clock, StreamObserver, Wire, Wish } from "../wire.ts";

export type Source = {
  readonly clock: Clock;
  /** Children can be read by pages. */
  readonly hasPages: boolean;
  readonly lastZxid: () => Zxid;
  /** Exactly one of the two is called, once. */
  readonly ask: (
    read: NativeRead,
    settle: {
      readonly answered: (answer: Answer) => void;
      readonly failed: (error: Error) => void;
    },
  ) => void;
  /** Returns a function that ends the subscription; nothing is told after it. */
  readonly subscribe: (wish: Wish, observer: StreamObserver) => () => void;
};

export function sourceOf(wire: Wire): Source {
  return {
    clock: wire.clock,
    hasPages: wire.features.pages,
    lastZxid: () => wire.lastZxid,
    ask: (read, { answered, failed }) => {
      wire.request({ kind: "read", read }).then(answered, failed);
    },
    subscribe: (wish, observer) => wire.subscribe(wish, observer),
  };
}

/** How long a read that failed waits before it is asked again: doubled each time, with jitter. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;

type Read = Extract<NativeResult, { readonly kind: "data" | "stat" | "children" | "page" }>;

/** Told what was read at the zxid; undefined: there was no such znode. */
type Done<Kind extends Read["kind"]> = (
  found: Extract<Read, { readonly kind: Kind }> | undefined,
  zxid: Zxid,
) => void;

type Asked = {
  readonly done: (found: Read | undefined, zxid: Zxid) => void;
  /** The client may not read the znode. */
  readonly refused: (() => void) | undefined;
};

/**
 * The reads of one stream. A read that fails and may succeed later is asked again for as long as the stream lives; any other failure ends
 * the stream.
 */
export class Reads {
  readonly #source: Source;
  readonly #failed: (error: Error) => void;
  readonly #timers = new Set<() => void>();
  #isOver = false;

  constructor(source: Source, failed: (error: Error) => void) {
    this.#source = source;
    this.#failed = failed;
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isOver = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** `refused` is called where the client may not read the znode, and the stream goes on; without it the stream ends. */
  data(path: string, done: Done<"data">, refused?: () => void): void {
    this.#ask({ kind: "getData", path, watch: false }, { done: this.#only("data", done), refused });
  }

  /** Anybody may ask whether a znode is there. */
  stat(path: string, done: Done<"stat">): void {
    const asked = { done: this.#only("stat", done), refused: undefined };
    this.#ask({ kind: "exists", path, watch: false }, asked);
  }

  children(path: string, done: Done<"children">, refused?: () => void): void {
    const asked = { done: this.#only("children", done), refused };
    this.#ask({ kind: "getChildren", path, watch: false }, asked);
  }

  page(of: Omit<ChildrenPage, "kind">, done: Done<"page">, refused?: () => void): void {
    this.#ask({ kind: "childrenPage", ...of }, { done: this.#only("page", done), refused });
  }

  #only<Kind extends Read["kind"]>(kind: Kind, done: Done<Kind>): Asked["done"] {
    return (found, zxid) => {
      if (found === undefined) done(undefined, zxid);
      else if (found.kind === kind) done(found as Extract<Read, { kind: Kind }>, zxid);
      else this.#failed(new TypeError(`an answer of the kind ${found.kind}, not ${kind}`));
    };
  }

  #ask(read: NativeRead, asked: Asked, retryMs = RETRY_MS_MIN): void {
    this.#source.ask(read, {
      answered: ({ zxid, result }) => {
        if (this.#isOver) return;
        if (result.kind !== "error") asked.done(result as Read, zxid);
        else if (result.code === Code.noNode) asked.done(undefined, zxid);
        else if (result.code === Code.noAuth && asked.refused !== undefined) asked.refused();
        else this.#again(read, asked, retryMs, errorOfCode(result.code, read.path));
      },
      failed: (error) => this.#again(read, asked, retryMs, error),
    });
  }

  #again(read: NativeRead, asked: Asked, retryMs: number, error: Error): void {
    if (this.#isOver) return;
    if (!(error instanceof ZooidError) || !error.retryable) {
      this.#failed(error);
      return;
    }
    const { clock } = this.#source;
    const cancel = clock.after(retryMs * (0.5 + clock.random()), () => {
      this.#timers.delete(cancel);
      this.#ask(read, asked, Math.min(RETRY_MS_MAX, retryMs * 2));
    });
    this.#timers.add(cancel);
  }
}
