/**
 * A second stream from somewhere in the past: it has to tell exactly what the first one told from there on, or say that it
 * cannot. Nothing else: neither less, nor more, nor in another order.
 */
import type { ModelChange } from "../sim/checks/model-state.ts";
import type { StreamChange } from "./change-stream.ts";
import type { Violations } from "./violations.ts";

export type LateStreamOptions = {
  readonly violations: Violations;
  /** Everything after this zxid was asked for. */
  readonly from: number;
  /** What the first stream told, oldest first. It grows, and may be behind this one. */
  readonly history: readonly ModelChange[];
};

type Heard = Pick<StreamChange, "zxid" | "kind" | "path">;

export class LateStream {
  readonly #options: LateStreamOptions;
  readonly #heard: Heard[] = [];

  constructor(options: LateStreamOptions) {
    this.#options = options;
  }

  change({ zxid, kind, path }: StreamChange): void {
    this.#heard.push({ zxid, kind, path });
  }

  /** It was told that what it asked for is no longer kept, but what comes after `oldest` is. */
  compacted(oldest: number): void {
    const { from, violations } = this.#options;
    if (this.#heard.length > 0 || oldest > from) return;
    const shown = `compacted up to ${oldest.toString(16)}, asked for what follows ${from.toString(16)}`;
    violations.add("stream", `a late stream: ${shown}`);
  }

  /** All up to `through` was heard by both. */
  end(through: number): void {
    const { from, history, violations } = this.#options;
    const first = firstAfter(history, from);
    const heard = this.#heard.filter(({ zxid }) => zxid <= through);
    for (const [index, each] of heard.entries()) {
      const expected = history[first + index];
      if (expected !== undefined && isSame(each, expected)) continue;
      const shown = `${textOf(each)} where the first one told ${textOf(expected)}`;
      violations.add("stream", `a late stream from ${from.toString(16)} told ${shown}`);
      return;
    }
    const next = history[first + heard.length];
    if (next === undefined || next.zxid > through) return;
    violations.add("stream", `a late stream from ${from.toString(16)} left out ${textOf(next)}`);
  }
}

function firstAfter(history: readonly ModelChange[], zxid: number): number {
  let first = history.length;
  while (first > 0 && (history[first - 1]?.zxid ?? 0) > zxid) first -= 1;
  return first;
}

function isSame(one: Heard, other: Heard): boolean {
  return one.zxid === other.zxid && one.kind === other.kind && one.path === other.path;
}

function textOf(change: Heard | undefined): string {
  if (change === undefined) return "nothing";
  return `${change.kind} ${change.path} at ${change.zxid.toString(16)}`;
}
