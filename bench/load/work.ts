/**
 * What a load asks of its servers, in terms that each protocol translates into its own requests. Every connection repeats one cycle of
 * steps, so that a mix is exact and the same for all servers, and needs no drawing while it is measured.
 */
import { shuffled } from "../../client/zookeeper/session/shuffled.ts";
import { between } from "../draw.ts";

/** Which znode a step reads or writes: the connection's own, one that all share, or one of the pool that all share. */
export type Place =
  | { readonly kind: "own" }
  | { readonly kind: "hot" }
  | { readonly kind: "pool"; readonly number: number };

/** `branch` keeps apart the znodes that different steps of a cycle create. */
export type Step =
  | { readonly kind: "get"; readonly place: Place }
  | { readonly kind: "set"; readonly place: Place; readonly valueBytes: number }
  | { readonly kind: "create"; readonly branch: number; readonly valueBytes: number }
  /** Deletes what the `create` with the same branch has created in the same cycle. */
  | { readonly kind: "delete"; readonly branch: number }
  | { readonly kind: "list" }
  | {
      readonly kind: "multi";
      readonly branch: number;
      readonly sets: number;
      readonly creates: number;
      readonly valueBytes: number;
    };

export type Cycle = readonly Step[];

export const POOL_ZNODES = 64;

export type WorkName = (typeof PLAIN_WORKS)[number] | (typeof KEEPER_WORKS)[number];

const PLAIN_WORKS = ["set", "create", "get", "mixed 90/10", "mixed 50/50", "multi"] as const;

/** The workloads that ClickHouse publishes for Keeper. */
export const KEEPER_WORKS = [
  "keeper prod-mix",
  "keeper read",
  "keeper write",
  "keeper read-multi",
  "keeper write-multi",
  "keeper list-heavy",
  "keeper churn",
  "keeper large-payload",
  "keeper single-hot-get",
  "keeper multi-large",
] as const;

export const WORK_NAMES: readonly WorkName[] = [...PLAIN_WORKS, ...KEEPER_WORKS];

const OWN: Place = { kind: "own" };
const HOT: Place = { kind: "hot" };
const MULTI_SETS = 4;

/** Returns the steps that one connection repeats. `valueBytes` holds where a work does not have sizes of its own. */
export function cycleOf(work: WorkName, connection: number, valueBytes: number): Cycle {
  const set: Step = { kind: "set", place: OWN, valueBytes };
  const get: Step = { kind: "get", place: OWN };
  switch (work) {
    case "set":
      return [set];
    case "create":
      return [{ kind: "create", branch: 0, valueBytes }];
    case "get":
      return [get];
    case "mixed 90/10":
      return rotated([set, get, get, get, get, get, get, get, get, get], connection);
    case "mixed 50/50":
      return rotated([set, get], connection);
    case "multi":
      return [{ kind: "multi", branch: 0, sets: MULTI_SETS, creates: 0, valueBytes }];
    default:
      return keeperCycle(work, connection);
  }
}

/** The connections begin at different places of the cycle, so that they do not all write at once. */
function rotated(steps: readonly Step[], connection: number): Cycle {
  const at = connection % steps.length;
  return [...steps.slice(at), ...steps.slice(0, at)];
}

type KeeperMix = {
  /** How many of 100 requests of the cycle are of each kind. A create that is removed again counts as two. */
  readonly get?: number;
  readonly list?: number;
  readonly set?: number;
  readonly create?: number;
  readonly multi?: number;
  /** The part of the creates and removes that are removes. */
  readonly removes?: number;
  readonly multiSizes?: readonly [min: number, max: number];
  readonly valueSizes?: readonly [min: number, max: number];
  readonly hotOnly?: boolean;
};

/**
 * The ten workloads that ClickHouse publishes for its Keeper (`tests/stress/keeper/workloads` of its repository), with their weights,
 * sizes and tree. Names and values are drawn once, before the measurement. `list` reads the children of the pool.
 */
const KEEPER_MIXES: Readonly<Record<string, KeeperMix>> = {
  "keeper prod-mix": { get: 38, create: 34, multi: 11, set: 9, list: 4, multiSizes: [3, 7] },
  "keeper read": { get: 90, list: 10 },
  "keeper write": { create: 60, set: 40 },
  "keeper read-multi": { get: 85, list: 15 },
  "keeper write-multi": { create: 25, set: 25, multi: 50, multiSizes: [5, 15] },
  "keeper list-heavy": { list: 75, get: 25 },
  "keeper churn": { create: 80, set: 20, removes: 0.5 },
  "keeper large-payload": {
    ...{ get: 38, create: 34, multi: 11, set: 9, list: 4 },
    ...{ multiSizes: [3, 7], valueSizes: [1024, 4096] },
  },
  "keeper single-hot-get": { get: 100, hotOnly: true },
  "keeper multi-large": { multi: 100, multiSizes: [10, 30] },
};

function keeperCycle(work: string, connection: number): Cycle {
  const mix = KEEPER_MIXES[work] ?? {};
  const draw = drawsOf(connection + 1);
  const [sizeMin, sizeMax] = mix.valueSizes ?? [0, 162];
  const [multiMin, multiMax] = mix.multiSizes ?? [1, 1];
  const valueBytes = (): number => between(draw, sizeMin, sizeMax);
  const place = (): Place =>
    mix.hotOnly === true || draw() < 0.5
      ? HOT
      : { kind: "pool", number: between(draw, 0, POOL_ZNODES - 1) };
  const steps: Step[] = [];
  const repeat = (times: number | undefined, make: (index: number) => Step): void => {
    for (let index = 0; index < (times ?? 0); index += 1) steps.push(make(index));
  };
  const removes = Math.round((mix.create ?? 0) * (mix.removes ?? 0.49));
  repeat(mix.get, () => ({ kind: "get", place: place() }));
  repeat(mix.list, () => ({ kind: "list" }));
  repeat(mix.set, () => ({ kind: "set", place: place(), valueBytes: valueBytes() }));
  repeat((mix.create ?? 0) - removes, (branch) => {
    return { kind: "create", branch, valueBytes: valueBytes() };
  });
  repeat(mix.multi, (index) => {
    const size = between(draw, multiMin, multiMax);
    const creates = Math.floor(size / 2);
    const sets = size - creates;
    return { kind: "multi", branch: 100 + index, sets, creates, valueBytes: valueBytes() };
  });
  return withRemoves(shuffled(steps, draw), removes);
}

/** Puts the removes behind the creates that they belong to, spread over the cycle. */
function withRemoves(steps: readonly Step[], removes: number): Cycle {
  let left = removes;
  return steps.flatMap((step): Step[] => {
    if (step.kind !== "create" || left === 0) return [step];
    left -= 1;
    return [step, { kind: "delete", branch: step.branch }];
  });
}

/** A small generator (xorshift32) that gives every run the same draws. */
function drawsOf(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Which shared znodes there must be. */
export type Needs = { readonly hot: boolean; readonly pool: boolean; readonly churn: boolean };

export function needsOf(cycles: readonly Cycle[]): Needs {
  const steps = cycles.flat();
  const at = (kind: Place["kind"]): boolean =>
    steps.some((step) => "place" in step && step.place.kind === kind);
  return {
    hot: at("hot") || steps.some((step) => step.kind === "multi"),
    pool: at("pool") || steps.some((step) => step.kind === "list"),
    churn: steps.some((step) => step.kind === "create" || step.kind === "multi"),
  };
}

export function isRead(step: Step): boolean {
  return step.kind === "get" || step.kind === "list";
}
