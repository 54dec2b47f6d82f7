/** The names of a znode's children, live: read once, and then changed by the changes of the children. */
import { ClosedError } from "../../protocol/errors.ts";
import { nameOf, parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import { errorOfEnd } from "../failures.ts";
import type { StreamEnd } from "../session/messages.ts";
import type { Wire } from "../wire.ts";
import { ChangeStream, type Feed, type Sink, type StreamOptions } from "./change-stream.ts";
import { PatientSink } from "./patient-sink.ts";
import { listChildren } from "./list-children.ts";
import { byZxid } from "./portions.ts";
import { diffOf } from "./diff.ts";
import { SortedMap } from "./sorted-map.ts";
import { Reads, sourceOf, type Source } from "./source.ts";

/** The children as they were at one zxid. What does not differ from the view before is shared with it. */
export class ChildrenView implements Iterable<string> {
  /** The names are right at this zxid. */
  readonly zxid: Zxid;
  /** False: there is no such znode, and so it has no children. */
  readonly exists: boolean;
  /** The names that the view before did not have; in the first view, all. */
  readonly added: readonly string[];
  /** The names that only the view before had. */
  readonly removed: readonly string[];
  readonly #names: SortedMap<true>;
  #set: ReadonlySet<string> | undefined;

  constructor(
    names: SortedMap<true>,
    of: Pick<ChildrenView, "zxid" | "exists" | "added" | "removed">,
  ) {
    this.#names = names;
    this.zxid = of.zxid;
    this.exists = of.exists;
    this.added = of.added;
    this.removed = of.removed;
  }

  /** How many children there are. */
  get size(): number {
    return this.#names.size;
  }

  /** Whether there is a child with the name. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** In order. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.#names.keys();
  }

  /** The same as a Set, which is made when it is asked for: that takes as long as there are names. */
  get names(): ReadonlySet<string> {
    this.#set ??= new Set(this.#names.keys());
    return this.#set;
  }
}

/**
 * The children first as they are, then after each transaction that makes or deletes some of them. A znode that does not exist has none. If
 * the ensemble no longer keeps what happened meanwhile, the next view is what there is then.
 */
export function childrenOf(
  wire: Wire,
  path: string,
  options: StreamOptions = {},
): ChangeStream<ChildrenView> {
  const source = sourceOf(wire);
  return new ChangeStream(childrenFeed(source, path), source, options);
}

export function childrenFeed(source: Source, path: string): Feed<ChildrenView> {
  return (sink) => {
    const children = new Children(source, path, sink);
    children.begin();
    return () => children.close();
  };
}

class Children {
  readonly #source: Source;
  readonly #path: string;
  readonly #sink: PatientSink<ChildrenView>;
  #reads: Reads;
  #unsubscribe: () => void = () => undefined;
  #isOver = false;
  #names: SortedMap<true> = SortedMap.empty;
  #exists = false;
  /** The stream has come here. */
  #position: Zxid = ZXID_NONE;
  /** The latest zxid of a read. From here on the names are those of the stream's place. */
  #latest: Zxid = ZXID_NONE;
  /** What was given last. */
  #given: SortedMap<true> | undefined;
  #existed = false;

  constructor(source: Source, path: string, sink: Sink<ChildrenView>) {
    this.#source = source;
    this.#path = path;
    this.#sink = new PatientSink(sink);
    this.#reads = new Reads(source, (error) => this.#failed(error));
  }

  /**
   * The stream begins at the first answer. What later answers name was there at their own zxids, and what the stream tells up to
   * there is done to it again, which changes nothing.
   */
  begin(): void {
    if (this.#isOver) return;
    const named = new Set<string>();
    let first: Zxid | undefined;
    listChildren(this.#reads, {
      ...{ path: this.#path, hasPages: this.#source.hasPages },
      names: (names, zxid) => {
        first ??= zxid;
        for (const name of names) named.add(name);
      },
      done: (exists, zxid) => {
        const names = [...named].toSorted((one, other) => (one < other ? -1 : 1));
        this.#names = SortedMap.of(names.map((name) => [name, true] as const));
        this.#exists = exists;
        this.#latest = zxid;
        this.#follow(first ?? zxid);
      },
    });
  }

  close(): void {
    this.#isOver = true;
    this.#reads.close();
    this.#unsubscribe();
  }

  #failed(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#sink.failed(error);
  }

  #follow(after: Zxid): void {
    this.#position = after;
    this.#unsubscribe = this.#source.subscribe(
      { path: this.#path, recursive: "children", after },
      {
        portion: (changes, through, taken) => this.#portion(changes, through, taken),
        ended: (end) => this.#ended(end),
      },
    );
    if (this.#isOver) this.#unsubscribe();
    else if (after >= this.#latest) this.#giveFirst(0, () => undefined);
  }

  #ended(end: StreamEnd): void {
    if (this.#isOver) return;
    if (end.kind === "compacted") this.#sink.whenTaken(() => this.begin());
    else this.#failed(errorOfEnd(end) ?? new ClosedError());
  }

  #portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    if (this.#isOver) return;
    const isBehind = this.#position < this.#latest;
    this.#position = through;
    const views: ChildrenView[] = [];
    for (const together of byZxid(changes)) {
      for (const change of together) this.#apply(change);
      if (isBehind) continue;
      const zxid = together[0]?.zxid ?? through;
      const view = this.#view(zxid, together);
      if (view !== undefined) views.push(view);
    }
    if (!isBehind) this.#sink.given({ items: views, changes: changes.length, through }, taken);
    else if (through >= this.#latest) this.#giveFirst(changes.length, taken);
    else taken();
  }

  #apply({ kind, path }: Change): void {
    if (kind !== "created" && kind !== "deleted") return;
    if (path === this.#path) {
      this.#exists = kind === "created";
      if (!this.#exists) this.#names = SortedMap.empty;
    } else if (parentOf(path) === this.#path) {
      const name = nameOf(path);
      this.#names = kind === "created" ? this.#names.with(name, true) : this.#names.without(name);
    }
  }

  /** Undefined: these changes of one zxid have left the names as they were. */
  #view(zxid: Zxid, together: readonly Change[]): ChildrenView | undefined {
    const [names, before] = [this.#names, this.#given ?? SortedMap.empty];
    const touched = new Set(together.map(({ path }) => nameOf(path)));
    const added = [...touched].filter((name) => names.has(name) && !before.has(name));
    const removed = [...touched].filter((name) => before.has(name) && !names.has(name));
    return this.#next(zxid, { added, removed });
  }

  /** It may be the first after a gap. */
  #giveFirst(changes: number, taken: () => void): void {
    const through = this.#position;
    const { added, removed } = diffOf(this.#given ?? SortedMap.empty, this.#names, () => true);
    const isFirst = this.#given === undefined;
    const view = this.#next(through, { added, removed }, isFirst);
    this.#sink.given({ items: view === undefined ? [] : [view], changes, through }, taken);
  }

  #next(
    zxid: Zxid,
    { added, removed }: Pick<ChildrenView, "added" | "removed">,
    isFirst = false,
  ): ChildrenView | undefined {
    const exists = this.#exists;
    const isSame = added.length === 0 && removed.length === 0 && exists === this.#existed;
    this.#given = this.#names;
    this.#existed = exists;
    if (isSame && !isFirst) return undefined;
    return new ChildrenView(this.#names, { zxid, exists, added, removed });
  }
}
