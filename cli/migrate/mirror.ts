/** Makes znodes of the target equal to those of the source, and says in which they are not. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { deleteTree } from "../../client/delete-tree.ts";
import { PACKET_BYTES_MAX } from "../../protocol/limits.ts";
import { frameBytes } from "../../protocol/native-size.ts";
import { NoNodeError } from "../../client/connect.ts";
import { type DifferenceKind, type Pair, SETS_MAX, type Step, stepsFor } from "./difference.ts";
import { ABSENT, createsOf, lasting, look, type Side } from "./znode.ts";
import { Writer } from "./writer.ts";

/** Znodes that are read before the target is written. */
const SETTLE_AT_ONCE = 512;
/** How often znodes are looked at again that others have changed meanwhile, or whose connection was lost. */
const ROUNDS_MAX = 16;
/** Znodes that are read at a time, from each side: many, since each waits for its way there and back. */
export const READ_AT_ONCE = 256;
/** How long the second round waits; later ones wait longer. */
const AGAIN_MS = 5;
/** In which round a znode that still has children is deleted with them: before it, their own deletes may be on their way. */
const ROUND_OF_TREES = 2;
/** What a request has around one step. */
const AROUND_STEP_BYTES = 64;

/** More than any session is likely to change between two looks. */
export class UnsettledError extends Error {
  override readonly name = "UnsettledError";
}

export class Mirror {
  readonly source: Side;
  readonly target: Side;
  readonly signal: AbortSignal;
  /** What the target cannot be made equal in, by path. */
  readonly problems: Map<string, DifferenceKind> = new Map<string, DifferenceKind>();
  /**
   * Znodes of the source that have a lifetime and only ephemeral children: the target, which has no such children yet, may end them before their
   * clients come.
   */
  readonly childlessThere: Set<string> = new Set<string>();
  readonly #writer: Writer;
  readonly #stepBytesMax: number;
  /** The name of children that are made and deleted to raise counters. */
  readonly #name = `zooid-migrate-${randomUUID()}`;

  constructor(source: Side, target: Side, signal: AbortSignal) {
    this.source = source;
    this.target = target;
    this.signal = signal;
    this.#writer = new Writer(target.client, signal);
    this.#stepBytesMax =
      Math.min(PACKET_BYTES_MAX, target.client.wire.requestBytesMax) - AROUND_STEP_BYTES;
  }

  /** How many steps the target has done. */
  get written(): number {
    return this.#writer.done;
  }

  async pair(path: string, isMissing = false): Promise<Pair> {
    const [source, target] = await Promise.all([
      look(this.source, path),
      isMissing ? ABSENT : look(this.target, path),
    ]);
    return { path, source, target };
  }

  /** In the order of the paths, some read at a time. */
  async pairs(paths: Iterable<string>): Promise<Pair[]> {
    const pairs: Pair[] = [];
    const all = [...paths];
    for (let at = 0; at < all.length; at += READ_AT_ONCE) {
      const some = all.slice(at, at + READ_AT_ONCE);
      pairs.push(...(await Promise.all(some.map((path) => this.pair(path)))));
    }
    return pairs;
  }

  /** Makes the znodes at the paths equal, their sequence counters too. */
  async settleAt(paths: Iterable<string>): Promise<void> {
    const all = [...paths];
    const counters = new Map<string, Counters>();
    for (let at = 0; at < all.length; at += SETTLE_AT_ONCE) {
      const pairs = await this.pairs(all.slice(at, at + SETTLE_AT_ONCE));
      await this.settle(pairs);
      for (const [path, each] of countersOf(pairs)) counters.set(path, each);
    }
    // Their children count, too, so those are made first.
    await this.raise(counters);
  }

  /** Makes what was read equal, but for sequence counters. Rejects if that does not come to an end. */
  async settle(pairs: readonly Pair[]): Promise<void> {
    let left = pairs;
    for (let round = 1; left.length > 0; round += 1) {
      if (round > ROUNDS_MAX) {
        const paths = left.slice(0, 3).map(({ path }) => path);
        throw new UnsettledError(
          `${paths.join(", ")} cannot be made equal: others change the target`,
        );
      }
      if (round > 1) await wait(AGAIN_MS * (round - 1), undefined, { signal: this.signal });
      for (const pair of left) this.#note(pair);
      if (round >= ROUND_OF_TREES) await this.#deleteTrees(left);
      const again = await this.#writer.write(this.#stepsOf(left));
      left = await this.pairs(again);
    }
  }

  /** Raises what of these paths is below what is given. */
  async raise(counters: ReadonlyMap<string, Counters>): Promise<void> {
    const all = [...counters];
    for (let at = 0; at < all.length; at += READ_AT_ONCE) {
      await Promise.all(
        all.slice(at, at + READ_AT_ONCE).map(([path, each]) => this.#raiseOne(path, each)),
      );
    }
  }

  async #raiseOne(path: string, { creates, version }: Counters): Promise<void> {
    const { client } = this.target;
    const { signal } = this;
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const { stat } = await client.exists(path, { signal });
      // Where it could not be made, or is gone from the source again, there is nothing to count.
      if (stat === undefined || stat.ephemeralOwner !== 0) return;
      const [by, sets] = [creates - createsOf(stat), version - stat.version];
      const isRaised = by <= 0 || (await this.#writer.raiseCounter(path, by, this.#name));
      if (sets <= 0 && isRaised) return;
      if (sets > 0) {
        const { data } = await client.get(path, { signal });
        if ((await this.#writer.raiseVersion(path, data, sets)) && isRaised) return;
      }
      await wait(AGAIN_MS * round, undefined, { signal });
    }
    throw new UnsettledError(`the counters of ${path} cannot be raised`);
  }

  /** Deletes from below, everything else from above. */
  #stepsOf(pairs: readonly Pair[]): readonly Step[] {
    const sorted = pairs.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    const isGone = ({ source }: Pair): boolean => lasting(source) === undefined;
    const gone = sorted.filter(isGone).toReversed();
    const there = sorted.filter((pair) => !isGone(pair) && !this.isTooLarge(stepsFor(pair)));
    return [...gone, ...there].flatMap(stepsFor);
  }

  async #deleteTrees(pairs: readonly Pair[]): Promise<void> {
    for (const { path, source, target } of pairs) {
      const isExtra = source.kind !== "hidden" && lasting(source) === undefined;
      if (!isExtra || (lasting(target)?.stat.numChildren ?? 0) === 0) continue;
      try {
        await deleteTree(this.target.client, path, { signal: this.signal });
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
    }
  }

  /** Whether one of the steps is more than the target takes in one request. */
  isTooLarge(steps: readonly Step[]): boolean {
    return steps.some((step) => {
      return step.kind !== "setAcl" && requestBytesOf(step) > this.#stepBytesMax;
    });
  }

  #note(pair: Pair): void {
    const { path, source, target } = pair;
    const from = lasting(source);
    const to = lasting(target);
    if (source.kind === "hidden" || target.kind === "hidden") this.problems.set(path, "hidden");
    else if (this.isTooLarge(stepsFor(pair))) this.problems.set(path, "tooLarge");
    else this.problems.delete(path);
    const hasLifetime =
      from !== undefined && from.lifetime !== "none" && from.lifetime !== "unknown";
    const isAtRisk = hasLifetime && from.stat.numChildren > 0 && (to?.stat.numChildren ?? 0) === 0;
    if (isAtRisk) this.childlessThere.add(path);
    else this.childlessThere.delete(path);
  }
}

/** What is counted at a znode of the source: children that were ever made, and sets of data that are more than the steps of a copy make. */
export type Counters = { readonly creates: number; readonly version: number };

export function countersOf(pairs: Iterable<Pair>): Map<string, Counters> {
  const counters = new Map<string, Counters>();
  for (const { path, source, target } of pairs) {
    const stat = lasting(source)?.stat;
    if (stat === undefined) continue;
    const creates = createsOf(stat);
    const isFar = stat.version - (lasting(target)?.stat.version ?? 0) > SETS_MAX;
    if (creates > 0 || isFar) counters.set(path, { creates, version: isFar ? stat.version : 0 });
  }
  return counters;
}

function requestBytesOf(step: Exclude<Step, { readonly kind: "setAcl" }>): number {
  return frameBytes({ kind: "write", operation: { kind: "multi", operations: [step] } });
}
