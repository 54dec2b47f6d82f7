/**
 * A native client's user follows live copies (`client/streams/`): of a value, of children, of a tree. Whatever fails meanwhile, each view is
 * what the model has at the view's zxid, none is left out where there is no gap, and at last the copy is what there is.
 */
import { SessionExpiredError } from "../../../protocol/errors.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Sink } from "../../../client/streams/change-stream.ts";
import { childrenFeed, type ChildrenView } from "../../../client/streams/children.ts";
import type { Source } from "../../../client/streams/source.ts";
import { treeFeed, type TreeView } from "../../../client/streams/tree.ts";
import { valueFeed } from "../../../client/streams/value.ts";
import { statProblem } from "../checks/replies.ts";
import { sameBytes, type Truth } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";
import type { SimWho } from "./identities.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";

const FOLLOWED = ["/k", "/q0", "/e"] as const;
const VALUES = ["/k/0", "/k/1", "/q0"] as const;
const KINDS = ["tree", "tree", "children", "value"] as const;
const VIEWS_MAX = 2;
/** How often all of a tree is compared, and not only what is said to differ. */
const WHOLE_SHARE = 0.05;

type Value = { readonly data: Uint8Array | null; readonly stat: Stat };

/** What was given last. */
type Last =
  | { readonly kind: "tree"; readonly view: TreeView }
  | { readonly kind: "children"; readonly view: ChildrenView }
  | { readonly kind: "value"; readonly value: Value | undefined };

type View = {
  readonly path: string;
  readonly close: () => void;
  last: Last | undefined;
  stopped: boolean;
};

export type ViewsOptions = {
  readonly truth: Truth;
  readonly random: Random;
  readonly reader: SimWho;
  readonly subscriber: Omit<SubscriberOptions, "stops" | "random" | "window">;
};

export class NativeViews {
  readonly #who: string;
  readonly #options: ViewsOptions;
  readonly #views = new Set<View>();

  constructor(who: string, options: ViewsOptions) {
    this.#who = who;
    this.#options = options;
  }

  /** Opens another one, or leaves one for another later. */
  turn(source: Source): void {
    const [first] = this.#views;
    if (first === undefined || this.#views.size < VIEWS_MAX) {
      this.#open(source);
      return;
    }
    this.#views.delete(first);
    first.close();
  }

  /** The session is over. */
  clear(): void {
    this.#views.clear();
  }

  /** Those that are taken are what there is. */
  get complete(): boolean {
    const { latest } = this.#options.truth;
    return [...this.#views].every((view) => view.stopped || this.#isRight(view, latest));
  }

  #open(source: Source): void {
    const { random } = this.#options;
    const kind = random.pick(KINDS);
    const path = random.pick(kind === "value" ? VALUES : FOLLOWED);
    let close: () => void = () => undefined;
    const view: View = { path, close: () => close(), last: undefined, stopped: false };
    this.#views.add(view);
    switch (kind) {
      case "tree":
        close = treeFeed(source, path, {})(this.#sink(view, (each) => this.#tree(view, each)));
        return;
      case "children":
        close = childrenFeed(source, path)(this.#sink(view, (each) => this.#children(view, each)));
        return;
      case "value": {
        const decode = (data: Uint8Array | null, stat: Stat): Value => ({ data, stat });
        const feed = valueFeed(source, path, decode);
        close = feed(this.#sink(view, (each) => this.#value(view, each)));
        return;
      }
      default:
        kind satisfies never;
    }
  }

  #sink<T>(view: View, check: (item: T) => void): Sink<T> {
    const { random, subscriber: options } = this.#options;
    const subscriber = new Subscriber(`${this.#who}: a copy of ${view.path}`, {
      ...{ ...options, random },
      // Before it is told of a gap it is given all that there still is, and does not say where the gap was.
      window: Number.POSITIVE_INFINITY,
      stops: () => {
        view.stopped = true;
      },
    });
    return {
      given: ({ items, changes }, taken) => {
        for (const item of items) check(item);
        subscriber.given(changes, taken);
      },
      failed: (error) => {
        this.#views.delete(view);
        const isOver = error instanceof SessionExpiredError || error.name === "ClosedError";
        must(isOver, "live copies", () => `${this.#who}: of ${view.path}: ${String(error)}`);
      },
    };
  }

  #tree(view: View, now: TreeView): void {
    const before = view.last?.kind === "tree" ? view.last.view : undefined;
    view.last = { kind: "tree", view: now };
    const { zxid, diff, gap } = now;
    this.#checkOrder(view, before?.zxid, zxid);
    if (this.#isGuarded(view.path)) return;
    for (const path of [...diff.added, ...diff.changed, ...diff.removed]) {
      this.#checkZnode(view, now, path);
    }
    if (before === undefined || gap !== undefined) this.#checkTree(view, now);
    else {
      if (this.#options.random.chance(WHOLE_SHARE)) this.#checkTree(view, now);
      this.#checkBetween(view, before.zxid, zxid, (path) => isBelow(path, view.path));
    }
  }

  #children(view: View, now: ChildrenView): void {
    const before = view.last?.kind === "children" ? view.last.view : undefined;
    view.last = { kind: "children", view: now };
    this.#checkOrder(view, before?.zxid, now.zxid);
    if (this.#isGuarded(view.path)) return;
    const { model } = this.#options.truth;
    const names = model.childrenAt(view.path, now.zxid);
    const isSame = names.size === now.size && [...now].every((name) => names.has(name));
    must(isSame, "live copies", () => {
      return `${this.#who}: ${view.path} has ${[...now].join()} at ${formatZxid(now.zxid)}, not ${[...names].join()}`;
    });
  }

  #value(view: View, value: Value | undefined): void {
    const before = view.last?.kind === "value" ? view.last.value : undefined;
    view.last = { kind: "value", value };
    if (value === undefined || this.#isGuarded(view.path)) return;
    const { mzxid } = value.stat;
    const what = (): string => `${this.#who}: the value of ${view.path} of ${formatZxid(mzxid)}`;
    must((before?.stat.mzxid ?? 0) < mzxid, "live copies", () => `${what()} is given late`);
    const moment = this.#options.truth.model.at(view.path, mzxid);
    const isRight = moment?.stat?.mzxid === mzxid && sameBytes(value.data, moment.data);
    must(isRight, "live copies", () => `${what()} is another`);
  }

  #isRight({ path, last }: View, latest: Zxid): boolean {
    const { model } = this.#options.truth;
    if (last === undefined) return false;
    if (this.#isGuarded(path)) return true;
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
    return isBelow(path, root) && this.#options.truth.model.at(path, zxid)?.stat !== undefined;
  }

  /** What may be closed to the reader is not compared. */
  #isGuarded(root: string): boolean {
    const { truth, reader } = this.#options;
    return [...truth.model.paths].some(
      (path) => isBelow(path, root) && truth.model.isClosedAfter(path, ZXID_NONE, reader),
    );
  }

  #checkOrder({ path }: View, before: Zxid | undefined, now: Zxid): void {
    must((before ?? ZXID_NONE) < now && now <= this.#options.truth.latest, "live copies", () => {
      return `${this.#who}: ${path} at ${formatZxid(now)} after ${formatZxid(before ?? ZXID_NONE)}`;
    });
  }

  #checkTree(view: View, now: TreeView): void {
    const { model } = this.#options.truth;
    for (const path of model.paths) {
      if (isBelow(path, view.path)) this.#checkZnode(view, now, path);
    }
    for (const path of now.nodes.keys()) this.#checkZnode(view, now, path);
  }

  #checkZnode({ path: root }: View, { nodes, zxid }: TreeView, path: string): void {
    const moment = this.#options.truth.model.at(path, zxid);
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

  /** Nothing of it happened after the one zxid and before the other but what left no trace. */
  #checkBetween(
    { path: root }: View,
    after: Zxid,
    before: Zxid,
    isFollowed: (path: string) => boolean,
  ): void {
    const { model } = this.#options.truth;
    const { changes } = model;
    for (let at = model.firstChangeAfter(after); at < changes.length; at += 1) {
      const change = changes[at];
      if (change === undefined || change.zxid >= before) return;
      if (!isFollowed(change.path)) continue;
      const hasTrace =
        model.at(change.path, change.zxid)?.stat !== undefined ||
        model.at(change.path, (change.zxid - 1) as Zxid)?.stat !== undefined;
      must(!hasTrace, "live copies", () => {
        return `${this.#who}: no view of ${root} at ${formatZxid(change.zxid)}: ${change.kind} ${change.path}`;
      });
    }
  }
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
