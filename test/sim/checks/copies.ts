/** Live copies against the model: each view is what the model has at the view's zxid, and none is left out where there is no gap. */
import type { Stat } from "../../../protocol/stat.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { ChildrenView } from "../../../client/streams/children.ts";
import type { TreeView } from "../../../client/streams/tree.ts";
import type { SimWho } from "../client/identities.ts";
import type { Model } from "./model.ts";
import { copyProblem } from "./once.ts";
import { statProblem } from "./replies.ts";
import { sameBytes } from "./truth.ts";
import { must } from "./violation.ts";

export type CopiedValue = { readonly data: Uint8Array | null; readonly stat: Stat };

/** What a consumer was given last. */
export type LastView =
  | { readonly kind: "tree"; readonly view: TreeView }
  | { readonly kind: "children"; readonly view: ChildrenView }
  | { readonly kind: "value"; readonly value: CopiedValue | undefined };

export class CopyChecks {
  readonly #who: string;
  readonly #model: Model;
  readonly #reader: SimWho;
  /** Otherwise several changes of a znode may come as the last of them: a view shows what was there at some time. */
  readonly #everyChange: boolean;
  /** By the root of a copy: whether anything of it was closed to the reader, among so many of the model's touches, up to a zxid. */
  readonly #guards = new Map<string, { isClosed: boolean; seen: number; through: Zxid }>();

  constructor(
    who: string,
    model: Model,
    { reader, everyChange }: { readonly reader: SimWho; readonly everyChange: boolean },
  ) {
    this.#who = who;
    this.#model = model;
    this.#reader = reader;
    this.#everyChange = everyChange;
  }

  /** `isWhole`: all of it is compared, and not only what is said to differ. */
  tree(root: string, last: LastView | undefined, now: TreeView, isWhole: boolean): void {
    const before = last?.kind === "tree" ? last.view : undefined;
    const { zxid, diff, gap } = now;
    this.#checkOrder(root, before?.zxid, zxid);
    if (this.#isGuarded(root)) return;
    if (!this.#everyChange) {
      for (const path of [...diff.added, ...diff.changed]) this.#checkOnce(root, now, path);
      return;
    }
    for (const path of [...diff.added, ...diff.changed, ...diff.removed]) {
      this.#checkZnode(root, now, path);
    }
    if (isWhole || before === undefined || gap !== undefined) this.#checkTree(root, now);
    if (before !== undefined && gap === undefined) this.#checkBetween(root, before.zxid, zxid);
  }

  children(path: string, last: LastView | undefined, now: ChildrenView): void {
    this.#checkOrder(path, last?.kind === "children" ? last.view.zxid : undefined, now.zxid);
    if (this.#isGuarded(path) || !this.#everyChange) return;
    const names = this.#model.childrenAt(path, now.zxid);
    const isSame = names.size === now.size && [...now].every((name) => names.has(name));
    must(isSame, "live copies", () => {
      const at = formatZxid(now.zxid);
      return `${this.#who}: ${path} has ${[...now].join()} at ${at}, not ${[...names].join()}`;
    });
  }

  value(path: string, last: LastView | undefined, value: CopiedValue | undefined): void {
    if (value === undefined || this.#isGuarded(path)) return;
    const before = last?.kind === "value" ? last.value : undefined;
    const { mzxid } = value.stat;
    const what = (): string => `${this.#who}: the value of ${path} of ${formatZxid(mzxid)}`;
    must((before?.stat.mzxid ?? 0) < mzxid, "live copies", () => `${what()} is given late`);
    const moment = this.#model.at(path, mzxid);
    const isRight = moment?.stat?.mzxid === mzxid && sameBytes(value.data, moment.data);
    must(isRight, "live copies", () => `${what()} is another`);
  }

  /** Whether what was given last is what there is at the zxid. */
  isRight(path: string, last: LastView | undefined, latest: Zxid): boolean {
    if (last === undefined) return false;
    if (this.#isGuarded(path)) return true;
    const model = this.#model;
    switch (last.kind) {
      case "tree": {
        const { nodes } = last.view;
        const there = [...model.paths].filter((each) => this.#isThere(each, path, latest));
        return (
          there.length === nodes.size &&
          there.every((each) => nodes.get(each)?.stat.mzxid === model.at(each, latest)?.stat?.mzxid)
        );
      }
      case "children": {
        const names = model.childrenAt(path, latest);
        return names.size === last.view.size && [...names].every((name) => last.view.has(name));
      }
      case "value":
        return last.value?.stat.mzxid === model.at(path, latest)?.stat?.mzxid;
      default:
        return last satisfies never;
    }
  }

  #isThere(path: string, root: string, zxid: Zxid): boolean {
    return isBelow(path, root) && this.#model.at(path, zxid)?.stat !== undefined;
  }

  /** What may be closed to the reader is not compared. Once it was closed it stays so; what has changed since the last look is looked at. */
  #isGuarded(root: string): boolean {
    const model = this.#model;
    const { touched } = model;
    const guard = this.#guards.get(root) ?? { isClosed: false, seen: 0, through: ZXID_NONE };
    this.#guards.set(root, guard);
    if (guard.isClosed || guard.seen === touched.length) return guard.isClosed;
    const paths = new Set<string>();
    for (const { path } of touched.slice(guard.seen)) if (isBelow(path, root)) paths.add(path);
    guard.isClosed = [...paths].some((path) =>
      model.isClosedAfter(path, guard.through, this.#reader),
    );
    guard.seen = touched.length;
    guard.through = touched.at(-1)?.zxid ?? ZXID_NONE;
    return guard.isClosed;
  }

  #checkOrder(path: string, before: Zxid | undefined, now: Zxid): void {
    must((before ?? ZXID_NONE) < now, "live copies", () => {
      return `${this.#who}: ${path} at ${formatZxid(now)} after ${formatZxid(before ?? ZXID_NONE)}`;
    });
  }

  #checkTree(root: string, now: TreeView): void {
    for (const path of this.#model.paths) {
      if (isBelow(path, root)) this.#checkZnode(root, now, path);
    }
    for (const path of now.nodes.keys()) this.#checkZnode(root, now, path);
  }

  #checkZnode(root: string, { nodes, zxid }: TreeView, path: string): void {
    const moment = this.#model.at(path, zxid);
    const znode = nodes.get(path);
    const what = (): string => `${this.#who}: ${path} in the tree ${root} at ${formatZxid(zxid)}`;
    must((znode !== undefined) === (moment?.stat !== undefined), "live copies", () => {
      return `${what()} is ${znode === undefined ? "not " : ""}there`;
    });
    if (znode === undefined || moment?.stat === undefined) return;
    const problem = statProblem(znode.stat, moment.stat);
    must(problem === undefined, "live copies", () => `${what()}: ${problem}`);
    must(sameBytes(znode.data, moment.data), "live copies", () => `${what()} has other data`);
  }

  #checkOnce(root: string, { nodes }: TreeView, path: string): void {
    const znode = nodes.get(path);
    const problem = znode === undefined ? "not there" : copyProblem(this.#model, path, znode);
    must(problem === undefined, "live copies", () => {
      return `${this.#who}: ${path} in the tree ${root}: ${problem}`;
    });
  }

  /** Nothing of it happened after the one zxid and before the other but what left no trace. */
  #checkBetween(root: string, after: Zxid, before: Zxid): void {
    const model = this.#model;
    const { changes } = model;
    for (let at = model.firstChangeAfter(after); at < changes.length; at += 1) {
      const change = changes[at];
      if (change === undefined || change.zxid >= before) return;
      const { path, zxid, kind } = change;
      if (!isBelow(path, root)) continue;
      const hasTrace =
        model.at(path, zxid)?.stat !== undefined ||
        model.at(path, (zxid - 1) as Zxid)?.stat !== undefined;
      must(!hasTrace, "live copies", () => {
        return `${this.#who}: no view of ${root} at ${formatZxid(zxid)}: ${kind} ${path}`;
      });
    }
  }
}

export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
