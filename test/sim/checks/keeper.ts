/**
 * What the model knows of ClickHouse Keeper's operations. It is written from Keeper's rules and from the limits that protocol/limits.ts
 * describes, independently of the product's tree.
 */
import type { RemovalLimits } from "../../../actors/tree/removal-limits.ts";
import { Code } from "../../../protocol/codes.ts";
import type { OperationResult, ZnodeOperation } from "../../../protocol/operations.ts";
import { nameOf, parentOf } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { CREATE, DELETE, READ } from "../client/identities.ts";
import { refused } from "./model-state.ts";

type Create = Extract<ZnodeOperation, { readonly kind: "create" }>;
type Asked =
  | Create
  | Extract<
      ZnodeOperation,
      { readonly kind: "checkNotExists" | "checkStat" | "tryRemove" | "removeRecursive" }
    >;

/** What the model lends. */
export type KeeperView = {
  readonly statOf: (path: string) => Stat | undefined;
  readonly namesIn: (path: string) => Iterable<string>;
  readonly mustBeAllowed: (path: string, permission: number) => void;
  readonly create: (operation: Create) => OperationResult;
  readonly remove: (path: string, stat: Stat) => void;
  readonly removals: Removals;
};

const DONE: OperationResult = { kind: "done" };

/** What becomes of removeRecursives that find something to delete. */
export type RemovalCounts = {
  removed: number;
  /** There is too much for one. */
  notEmpty: number;
  /** There is too much for one record. */
  throttled: number;
  noAuth: number;
};

/** What the removeRecursives of the record in hand have cost so far, and what they may cost. An operation that is refused costs, too. */
export class Removals {
  readonly counts: RemovalCounts = { removed: 0, notEmpty: 0, throttled: 0, noAuth: 0 };
  readonly #limits: RemovalLimits;
  #cost = 0;

  constructor(limits: RemovalLimits) {
    this.#limits = limits;
  }

  /** To be called where a record begins. */
  begin(): void {
    this.#cost = 0;
  }

  /** Returns why all of this may not be deleted at once, whoever asks for it. */
  refusal(paths: readonly string[], askedMax: number): "notEmpty" | "throttled" | undefined {
    const { znodesMax, recordMax, pathUnit } = this.#limits;
    if (this.#cost > recordMax) return "throttled";
    // The count below a znode is known, so that nothing is looked at where it is too large.
    this.#cost += 1;
    if (paths.length > Math.min(askedMax, znodesMax)) return "notEmpty";
    for (const path of paths) this.#cost += 1 + Math.floor(path.length / pathUnit);
    return this.#cost > recordMax ? "throttled" : undefined;
  }
}

export function keeperResult(view: KeeperView, asked: Asked): OperationResult {
  const { path } = asked;
  const stat = view.statOf(path);
  switch (asked.kind) {
    case "create":
      return createUnlessThere(view, asked, stat);
    case "checkNotExists":
      if (stat === undefined) return DONE;
      view.mustBeAllowed(path, READ);
      if (asked.version === -1 || asked.version === stat.version) throw refused(Code.nodeExists);
      return DONE;
    case "checkStat": {
      if (stat === undefined) throw refused(Code.noNode);
      view.mustBeAllowed(path, READ);
      const differs = (field: keyof Stat): boolean =>
        asked.stat[field] !== -1 && asked.stat[field] !== stat[field];
      const isOther = asked.version !== -1 && asked.version !== stat.version;
      if (isOther || (Object.keys(stat) as (keyof Stat)[]).some(differs))
        throw refused(Code.badVersion);
      return DONE;
    }
    case "tryRemove":
      if (view.statOf(parentOf(path)) === undefined) return DONE;
      view.mustBeAllowed(parentOf(path), DELETE);
      if (stat === undefined || stat.numChildren > 0) return DONE;
      if (asked.version === -1 || asked.version === stat.version) view.remove(path, stat);
      return DONE;
    case "removeRecursive":
      if (view.statOf(parentOf(path)) === undefined) return DONE;
      view.mustBeAllowed(parentOf(path), DELETE);
      if (stat !== undefined) removeAll(view, path, asked.znodesMax);
      return DONE;
  }
}

function createUnlessThere(
  view: KeeperView,
  asked: Create,
  stat: Stat | undefined,
): OperationResult {
  const { path, mode } = asked;
  const parent = view.statOf(parentOf(path));
  if (parent === undefined) throw refused(Code.noNode);
  view.mustBeAllowed(parentOf(path), CREATE);
  if (parent.ephemeralOwner !== 0) throw refused(Code.noChildrenForEphemerals);
  if (mode.sequential) throw refused(Code.badArguments);
  return stat === undefined ? view.create(asked) : { kind: "created", path, stat };
}

function removeAll(view: KeeperView, top: string, znodesMax: number): void {
  const all = [top];
  for (const path of all) {
    all.push(...[...view.namesIn(path)].map((name) => `${path}/${name}`));
  }
  const { counts } = view.removals;
  const refusal = view.removals.refusal(all, znodesMax);
  counts[refusal ?? "noAuth"] += 1;
  if (refusal !== undefined) throw refused(Code[refusal]);
  for (const path of all) view.mustBeAllowed(path, DELETE);
  counts.noAuth -= 1;
  counts.removed += 1;
  // From the last path to the first, so that each znode comes behind those below it.
  for (const path of all.toSorted().toReversed()) {
    const stat = view.statOf(path);
    if (stat === undefined) throw new Error(`${nameOf(path)} is gone already`);
    view.remove(path, stat);
  }
}
