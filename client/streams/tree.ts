/** A live copy of a subtree: one read of all of it, and then its changes. */
import { ClosedError } from "../../protocol/errors.ts";
import { parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { errorOfEnd } from "../failures.ts";
import type { StreamEnd } from "../session/messages.ts";
import type { Wire } from "../wire.ts";
import { ChangeStream, type Feed, type Sink, type StreamOptions } from "./change-stream.ts";
import { type Diff, diffOf } from "./diff.ts";
import type { Gap } from "./events.ts";
import { PatientSink } from "./patient-sink.ts";
import { byZxid } from "./portions.ts";
import type { SortedMap } from "./sorted-map.ts";
import { sourceOf, type Source } from "./source.ts";
import { applyChange, type CopiedZnode, followCopy } from "./tree-copy.ts";

/** What a live copy holds. */
export type TreeOptions = StreamOptions & {
  /** False: the copy is of the paths and Stats only, and the data of every znode in it is null. Default true. */
  readonly data?: boolean | undefined;
};

/** The subtree as it was at one zxid. Views share what does not differ, so that each costs what changed and not what there is. */
export type TreeView = {
  /** The subtree was so when the transaction with this zxid was done. */
  readonly zxid: Zxid;
  /** By path, in order; empty if there is no znode at the path of the tree. */
  readonly nodes: ReadonlyMap<string, CopiedZnode>;
  /**
   * The paths that differ from the view before; in the first view all are `added`. A znode of which only the Stat's fields about its
   * children differ is not among them.
   */
  readonly diff: Diff;
  /** The views between this one and the one before are lost, since the ensemble no longer keeps the changes. This one is whole. */
  readonly gap: Gap | undefined;
};

/**
 * The subtree first as it is, then after each transaction that changes it; each view is consistent. If there is no znode at the path the view
 * is empty, until there is. What is read at first takes a read of each znode.
 */
export function treeOf(
  wire: Wire,
  path: string,
  options: TreeOptions = {},
): ChangeStream<TreeView> {
  const source = sourceOf(wire);
  return new ChangeStream(treeFeed(source, path, options), source, options);
}

export function treeFeed(source: Source, path: string, options: TreeOptions): Feed<TreeView> {
  return (sink) => {
    const tree = new Tree(source, path, options, sink);
    tree.begin();
    return () => tree.close();
  };
}

class Tree {
  readonly #source: Source;
  readonly #path: string;
  readonly #hasData: boolean;
  readonly #sink: PatientSink<TreeView>;
  #end: () => void = () => undefined;
  #isOver = false;
  /** What was given last. Undefined: nothing was. */
  #nodes: SortedMap<CopiedZnode> | undefined;
  /** Everything up to here was given. */
  #through: Zxid | undefined;
  /** The changes after this zxid are lost to the copy. */
  #lost: Pick<Gap, "from" | "because"> | undefined;

  constructor(source: Source, path: string, { data = true }: TreeOptions, sink: Sink<TreeView>) {
    this.#source = source;
    this.#path = path;
    this.#hasData = data;
    this.#sink = new PatientSink(sink);
  }

  begin(): void {
    if (this.#isOver) return;
    const options = { recursive: true, data: this.#hasData };
    this.#end = followCopy(this.#source, this.#path, options, {
      copied: (nodes, zxid) => this.#copied(nodes, zxid),
      portion: (changes, through, taken) => this.#portion(changes, through, taken),
      ended: (end) => this.#ended(end),
      failed: (error) => this.#sink.failed(error),
    });
    if (this.#isOver) this.#end();
  }

  close(): void {
    this.#isOver = true;
    this.#end();
  }

  #ended(end: StreamEnd): void {
    if (end.kind === "compacted") this.#again("compacted");
    else this.#sink.failed(errorOfEnd(end) ?? new ClosedError());
  }

  #again(because: Gap["because"]): void {
    const from = this.#through;
    if (from !== undefined) this.#lost ??= { from, because };
    this.#end();
    this.#sink.whenTaken(() => this.begin());
  }

  #copied(nodes: SortedMap<CopiedZnode>, zxid: Zxid): void {
    const before = this.#nodes;
    const lost = this.#lost;
    this.#lost = undefined;
    this.#nodes = nodes;
    this.#through = zxid;
    const gap: Gap | undefined = lost && { kind: "gap", ...lost, to: zxid };
    const diff: Diff =
      before === undefined
        ? { added: [...nodes.keys()], changed: [], removed: [] }
        : diffOf(before, nodes, isSame);
    const view: TreeView = { zxid, nodes, diff, gap };
    this.#sink.given({ items: [view], changes: 0, through: zxid }, () => undefined);
  }

  #portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    const views: TreeView[] = [];
    let isOpened = false;
    for (const together of byZxid(changes)) {
      isOpened = together.some((change) => this.#isOpening(change));
      if (isOpened) break;
      const view = this.#view(together);
      if (view !== undefined) views.push(view);
    }
    const last = views.at(-1)?.zxid ?? this.#through ?? through;
    this.#through = isOpened ? last : through;
    this.#sink.given({ items: views, changes: changes.length, through: this.#through }, taken);
    if (isOpened && !this.#isOver) this.#again("opened");
  }

  /** The client may read a znode that it could not read before; so may it what is below. */
  #isOpening({ kind, path }: Change): boolean {
    const nodes = this.#nodes;
    return kind === "acl" && nodes?.has(path) === false && this.#isVisible(path, nodes);
  }

  /** What is below a znode that the client may not read is not shown. */
  #isVisible(path: string, nodes: SortedMap<CopiedZnode>): boolean {
    return path === this.#path || nodes.has(parentOf(path));
  }

  /** Undefined: these changes of one zxid have left the copy as it was. */
  #view(together: readonly Change[]): TreeView | undefined {
    const before = this.#nodes;
    const zxid = together[0]?.zxid;
    if (before === undefined || zxid === undefined) return undefined;
    let nodes = before;
    const znodes = {
      get: (path: string): CopiedZnode | undefined => nodes.get(path),
      set: (path: string, znode: CopiedZnode): void => {
        nodes = nodes.with(path, znode);
      },
      delete: (path: string): void => {
        nodes = nodes.without(path);
      },
    };
    const touched = new Set<string>();
    for (const change of together) {
      if (!this.#isVisible(change.path, nodes)) continue;
      touched.add(change.path);
      applyChange(znodes, change, { root: this.#path, data: this.#hasData });
    }
    this.#nodes = nodes;
    if (nodes === before) return undefined;
    return { zxid, nodes, diff: diffAmong(touched, before, nodes), gap: undefined };
  }
}

/** Only these paths can differ. */
function diffAmong(
  paths: ReadonlySet<string>,
  before: SortedMap<CopiedZnode>,
  after: SortedMap<CopiedZnode>,
): Diff {
  const added: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const path of paths) {
    const [was, is] = [before.has(path), after.has(path)];
    if (was && is) changed.push(path);
    else if (is) added.push(path);
    else if (was) removed.push(path);
  }
  return { added, changed, removed };
}

/** Whether nothing of the znode itself was done between two reads; its children count for themselves. */
function isSame({ stat: one }: CopiedZnode, { stat: other }: CopiedZnode): boolean {
  return one.czxid === other.czxid && one.mzxid === other.mzxid && one.aversion === other.aversion;
}
