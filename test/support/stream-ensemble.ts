/**
 * A replica with a client whose reads and streams are under way for as long as a test wants: a source for the client's streams without
 * a network, with time that stands still unless it is moved.
 */
import type { StreamObserver, Wish } from "../../client/wire.ts";
import type { Source } from "../../client/streams/source.ts";
import { type Who, ANYONE } from "../../protocol/identities.ts";
import type { NativeRead, NativeResult } from "../../protocol/native-packing.ts";
import type { ClientOperation } from "../../protocol/operations.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Effect } from "../../runtime/effects.ts";
import { client as by, Replica, toldOf } from "./replica.ts";
import type { SessionId } from "../../protocol/ids.ts";

type Step = () => void;

type OpenStream = {
  readonly observer: StreamObserver;
  readonly wish: Wish;
  /** Everything up to here has come. */
  after: Zxid;
  /** What the tree has told and has not come. */
  readonly steps: Step[];
};

export class StreamEnsemble {
  readonly replica: Replica;
  readonly session: SessionId;
  readonly source: Source;
  /** Who the client is. */
  who: Who = ANYONE;
  /** Portions that were given and not taken. */
  untaken = 0;
  #lastZxid = 0 as Zxid;
  /** Reads that were asked, and those that were answered, on their way. */
  readonly #reads: Step[] = [];
  readonly #streams = new Map<number, OpenStream>();
  #nextStream = 1;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: Step }>();
  nowMs = 0;

  constructor(options: { readonly ringBytesMax?: number; readonly hasPages?: boolean } = {}) {
    const { ringBytesMax = 1_000_000, hasPages = true } = options;
    this.replica = new Replica({ ringBytesMax });
    this.session = this.replica.session();
    this.#lastZxid = this.replica.lastZxid;
    this.source = {
      clock: {
        nowMs: () => this.nowMs,
        random: () => 0.5,
        after: (delayMs, run) => {
          const timer = { atMs: this.nowMs + delayMs, run };
          this.#timers.add(timer);
          return () => this.#timers.delete(timer);
        },
      },
      hasPages,
      lastZxid: () => this.#lastZxid,
      ask: (read, { answered }) => {
        this.#reads.push(() => {
          const answer = { zxid: this.replica.lastZxid, result: this.#read(read) };
          this.#reads.push(() => {
            this.#saw(answer.zxid);
            answered(answer);
          });
        });
      },
      subscribe: (wish, observer) => this.#subscribe(wish, observer),
    };
  }

  do(...operations: readonly ClientOperation[]): void {
    this.#tell(this.replica.commit(...operations.map((each) => by(this.session, each))));
  }

  /** Something that is under way comes, chosen by the number. Returns whether there was anything. */
  step(choice: number): boolean {
    const ways = [this.#reads, ...[...this.#streams.values()].map(({ steps }) => steps)];
    const busy = ways.filter(({ length }) => length > 0);
    const way = busy[choice % Math.max(1, busy.length)];
    if (way === undefined) return false;
    // Reads overtake each other; a stream's portions do not.
    const at = way === this.#reads ? choice % way.length : 0;
    way.splice(at, 1)[0]?.();
    return true;
  }

  /** All that is under way comes, and the streams are told how far they have come. */
  settle(): void {
    for (let round = 0; round < 3; round += 1) {
      while (this.step(0));
      this.#tell(this.replica.receive({ kind: "reportProgress", from: "nats/1" }));
    }
    while (this.step(0));
  }

  /** The connection is another one: what was on its way in streams is lost, and they are opened again where they stand. */
  reconnect(): void {
    for (const [number, stream] of this.#streams) {
      stream.steps.length = 0;
      this.replica.receive({ kind: "closeStream", from: "nats/1", client: 1, stream: number });
      this.#openSoon(number, stream);
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.#timers].toSorted((one, other) => one.atMs - other.atMs)) {
      if (timer.atMs <= this.nowMs && this.#timers.delete(timer)) timer.run();
    }
  }

  get streams(): number {
    return this.#streams.size;
  }

  #saw(zxid: Zxid): void {
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  #read(read: NativeRead): NativeResult {
    return this.replica.readBy(this.who, read) as NativeResult;
  }

  #subscribe(wish: Wish, observer: StreamObserver): () => void {
    const number = this.#nextStream;
    this.#nextStream += 1;
    const after = wish.after ?? this.#lastZxid;
    const stream: OpenStream = { observer, wish, after, steps: [] };
    this.#streams.set(number, stream);
    this.#openSoon(number, stream);
    return () => {
      this.#streams.delete(number);
      this.replica.receive({ kind: "closeStream", from: "nats/1", client: 1, stream: number });
    };
  }

  #openSoon(number: number, stream: OpenStream): void {
    stream.steps.push(() => {
      const { path, recursive } = stream.wish;
      const of = { from: "nats/1", client: 1, stream: number, who: this.who } as const;
      const asked = { ...of, path, recursive, after: stream.after };
      this.#tell(this.replica.receive({ kind: "openStream", ...asked }));
    });
  }

  #tell(effects: readonly Effect[]): void {
    for (const { message } of toldOf(effects)) {
      if (message.kind !== "changes" && message.kind !== "compacted") continue;
      const stream = this.#streams.get(message.stream);
      if (message.kind === "changes") {
        const { changes, through } = message;
        stream?.steps.push(() => this.#portion(stream, changes, through));
        continue;
      }
      const { oldest } = message;
      stream?.steps.push(() => {
        this.#streams.delete(message.stream);
        stream.observer.ended({ kind: "compacted", oldest });
      });
    }
  }

  #portion(stream: OpenStream, changes: readonly Change[], through: Zxid): void {
    const { observer } = stream;
    stream.after = through;
    this.#saw(through);
    this.untaken += 1;
    observer.portion(changes, through, () => {
      this.untaken -= 1;
    });
  }
}
