/**
 * The changes of a znode, of its children too, or of its whole subtree. What the ensemble no longer keeps is a gap: the stream fails, says
 * so and goes on, or reads again, as its caller wishes.
 */
import type { Recursive } from "../../protocol/changes.ts";
import { ClosedError, GapError } from "../../protocol/errors.ts";
import { parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { errorOfEnd } from "../failures.ts";
import type { StreamEnd } from "../session/messages.ts";
import type { Wire } from "../wire.ts";
import { ChangeStream, type Feed, type Sink, type StreamOptions } from "./change-stream.ts";
import type { Gap, Present, StreamEvent } from "./events.ts";
import { PatientSink } from "./patient-sink.ts";
import { sourceOf, type Source } from "./source.ts";
import { followCopy } from "./tree-copy.ts";

/** Which changes a stream has, where it begins, and what it tells beside them. */
export type ChangesOptions = StreamOptions & {
  /** True: changes of all znodes below the path are delivered too. `children`: those of its children are. Default false. */
  readonly recursive?: Recursive;
  /**
   * The stream begins with the first change after this zxid. Default: the zxid of the last read of the path through this client; if
   * there was none, the last zxid that the client has seen at all.
   */
  readonly from?: Zxid | undefined;
  /**
   * Progress events are delivered between the changes, at most one in so many milliseconds; 0: whenever there is progress. A node tells
   * of it with every portion of changes, and about once a second while others are written. Default: none are delivered.
   */
  readonly progressMs?: number | undefined;
  /**
   * What happens when the ensemble no longer keeps the changes that come next, because the stream was away, or its consumer behind, for
   * too long. `error`: the stream fails with a GapError. `emit`: it tells of the gap and goes on behind it. `reread`: it tells of the gap,
   * then of all that is there now, and goes on. Default `error`, so that nothing is lost in silence.
   */
  readonly onGap?: "error" | "emit" | "reread" | undefined;
};

/** `fromOf` says where each consumer begins, if `from` does not. */
export function changesOf(
  wire: Wire,
  path: string,
  options: ChangesOptions = {},
  fromOf: () => Zxid | undefined = () => undefined,
): ChangeStream<StreamEvent> {
  const source = sourceOf(wire);
  const feed = changesFeed(source, path, options, () => options.from ?? fromOf());
  return new ChangeStream(feed, source, options);
}

export function changesFeed(
  source: Source,
  path: string,
  options: ChangesOptions,
  fromOf: () => Zxid | undefined,
): Feed<StreamEvent> {
  return (sink) => {
    const follower = new Follower(source, path, options, sink);
    follower.begin(fromOf() ?? source.lastZxid());
    return () => follower.close();
  };
}

class Follower {
  readonly #source: Source;
  readonly #path: string;
  readonly #options: ChangesOptions;
  readonly #sink: PatientSink<StreamEvent>;
  /** Everything up to here was given. */
  #after: Zxid;
  #unsubscribe: () => void = () => undefined;
  /** When progress may be told next. */
  #progressDueMs = -Infinity;
  #cancelProgress: (() => void) | undefined;
  #isOver = false;

  constructor(source: Source, path: string, options: ChangesOptions, sink: Sink<StreamEvent>) {
    this.#source = source;
    this.#path = path;
    this.#options = options;
    this.#sink = new PatientSink(sink);
    this.#after = source.lastZxid();
  }

  begin(after: Zxid): void {
    this.#after = after;
    const { recursive = false } = this.#options;
    this.#unsubscribe = this.#source.subscribe(
      { path: this.#path, recursive, after },
      {
        portion: (changes, through, taken) => this.#portion(changes, through, taken),
        ended: (end) => this.#ended(end),
      },
    );
  }

  close(): void {
    this.#isOver = true;
    this.#cancelProgress?.();
    this.#unsubscribe();
  }

  #portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    if (this.#isOver) return;
    this.#after = through;
    const { recursive } = this.#options;
    const path = this.#path;
    // A wire that knows no such streams tells of everything below the path.
    const isMine = ({ path: changed }: Change): boolean =>
      changed === path || (changed !== "/" && parentOf(changed) === path);
    const items = recursive === "children" ? changes.filter(isMine) : changes;
    const progress = this.#progress(through);
    const given = progress.length === 0 ? items : [...items, ...progress];
    this.#sink.given({ items: given, changes: changes.length, through }, taken);
  }

  #progress(zxid: Zxid): readonly StreamEvent[] {
    const { progressMs } = this.#options;
    if (progressMs === undefined) return [];
    const { clock } = this.#source;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#progressDueMs) {
      this.#progressDueMs = nowMs + progressMs;
      return [{ kind: "progress", zxid }];
    }
    this.#cancelProgress ??= clock.after(this.#progressDueMs - nowMs, () => {
      this.#cancelProgress = undefined;
      const items = this.#progress(this.#after);
      if (items.length === 0) return;
      this.#sink.given({ items, changes: 0, through: this.#after }, () => undefined);
    });
    return [];
  }

  #ended(end: StreamEnd): void {
    if (this.#isOver) return;
    if (end.kind === "compacted") {
      this.#gap(end.oldest);
      return;
    }
    this.#sink.failed(errorOfEnd(end) ?? new ClosedError());
  }

  #gap(to: Zxid): void {
    const { onGap = "error" } = this.#options;
    const from = this.#after;
    if (onGap === "error") {
      this.#sink.failed(new GapError(this.#path, { from, to }));
      return;
    }
    if (onGap === "reread") {
      this.#whenTaken(() => this.#reread(from));
      return;
    }
    const gap: Gap = { kind: "gap", from, to, because: "compacted" };
    this.#sink.given({ items: [gap], changes: 0, through: to }, () => undefined);
    this.#whenTaken(() => this.begin(to));
  }

  #whenTaken(run: () => void): void {
    this.#sink.whenTaken(() => {
      if (!this.#isOver) run();
    });
  }

  #reread(from: Zxid): void {
    const { recursive = false } = this.#options;
    this.#unsubscribe = followCopy(
      this.#source,
      this.#path,
      { recursive, data: true },
      {
        copied: (znodes, zxid) => {
          const gap: Gap = { kind: "gap", from, to: zxid, because: "compacted" };
          const present = Array.from(znodes, ([path, { stat, data }]): Present => {
            return { kind: "present", zxid, path, stat, data };
          });
          const items: StreamEvent[] = [gap, ...present, { kind: "progress", zxid }];
          this.#sink.given({ items, changes: 0, through: zxid }, () => undefined);
        },
        portion: (changes, through, taken) => this.#portion(changes, through, taken),
        ended: (end) => this.#ended(end),
        failed: (error) => this.#sink.failed(error),
      },
    );
  }
}
