/**
 * A copy of a znode, of its children too, or of a whole subtree, and the changes that follow it.
 *
 * The znode at the path is read first, at some zxid; the stream of changes begins there. Then the znodes below are read one after the
 * other, each at a zxid of its own, while the stream's changes are applied to what has been read. An answer that is older than what was
 * applied is asked for again, so each read znode is right from its own zxid on, if changes up to that zxid are not applied to it. When
 * all are read and the stream has come to the latest zxid of a read, the copy is what there was at the stream's place:
 *
 * - a znode that was there from before the first read until now has a parent of which the same is true; so it was listed, and read;
 * - a znode that was made since is told of by the stream, whether it was listed or not.
 */
import type { Recursive } from "../../protocol/changes.ts";
import { parentOf } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import type { Stat } from "../../protocol/stat.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { StreamEnd } from "../session/messages.ts";
import { listChildren } from "./list-children.ts";
import { Reads, type Source } from "./source.ts";
import { SortedMap } from "./sorted-map.ts";

/** A znode of a copy. */
export type CopiedZnode = {
  /** As it was when the znode was read, or changed last. */
  readonly stat: Stat;
  /** Null also where the copy is without data. */
  readonly data: Uint8Array | null;
};

export type CopyObserver = {
  /** What there was at the zxid. The portions that follow begin there. */
  readonly copied: (znodes: SortedMap<CopiedZnode>, zxid: Zxid) => void;
  readonly portion: (changes: readonly Change[], through: Zxid, taken: () => void) => void;
  /** The stream ended after the copy was told. */
  readonly ended: (end: StreamEnd) => void;
  /** The copy cannot be made. */
  readonly failed: (error: Error) => void;
};

export type CopyOptions = { readonly recursive: Recursive; readonly data: boolean };

/** Where the znodes of a copy are kept. */
export type Znodes = {
  readonly get: (path: string) => CopiedZnode | undefined;
  readonly set: (path: string, znode: CopiedZnode) => void;
  readonly delete: (path: string) => void;
};

/** How many znodes are read at a time. */
const READS_MAX = 64;

/** Returns a function that ends it; nothing is told after it. */
export function followCopy(
  source: Source,
  path: string,
  options: CopyOptions,
  observer: CopyObserver,
): () => void {
  const copy = new Copy(source, path, options, observer);
  copy.begin();
  return () => copy.close();
}

/** Does to the copy what was done to the znode, and to what its parent says of its children. */
export function applyChange(
  znodes: Znodes,
  { kind, path, zxid, stat, data = null }: Change,
  options: { readonly root: string; readonly data: boolean },
): void {
  const known = znodes.get(path);
  if (kind === "deleted") znodes.delete(path);
  else if (kind !== "acl") znodes.set(path, { stat, data: options.data ? data : null });
  else if (known !== undefined) znodes.set(path, { ...known, stat });
  if (path !== options.root) tellParent(znodes, { kind, path, zxid });
}

function tellParent(
  znodes: Znodes,
  { kind, path, zxid }: Pick<Change, "kind" | "path" | "zxid">,
): void {
  if (kind !== "created" && kind !== "deleted") return;
  const parent = znodes.get(parentOf(path));
  if (parent === undefined) return;
  const numChildren = parent.stat.numChildren + (kind === "created" ? 1 : -1);
  const cversion = parent.stat.cversion + 1;
  const stat = { ...parent.stat, numChildren, cversion, pzxid: zxid };
  znodes.set(parentOf(path), { ...parent, stat });
}

class Copy {
  readonly #source: Source;
  readonly #path: string;
  readonly #options: CopyOptions;
  readonly #observer: CopyObserver;
  #reads: Reads;
  #unsubscribe: () => void = () => undefined;
  /** Undefined: the copy has been told. */
  #draft: Draft | undefined;
  #isOver = false;

  constructor(source: Source, path: string, options: CopyOptions, observer: CopyObserver) {
    this.#source = source;
    this.#path = path;
    this.#options = options;
    this.#observer = observer;
    this.#reads = this.#newReads();
  }

  begin(): void {
    const draft = new Draft({ root: this.#path, data: this.#options.data });
    this.#draft = draft;
    this.#read(draft, this.#path, (zxid) => {
      draft.position = zxid;
      const { recursive } = this.#options;
      this.#unsubscribe = this.#source.subscribe(
        { path: this.#path, recursive, after: zxid },
        {
          portion: (changes, through, taken) => this.#portion(changes, through, taken),
          ended: (end) => this.#ended(end),
        },
      );
      // The subscription may have failed at once.
      if (this.#isOver) this.#unsubscribe();
      else this.#next(draft);
    });
  }

  close(): void {
    this.#isOver = true;
    this.#reads.close();
    this.#unsubscribe();
  }

  #newReads(): Reads {
    return new Reads(this.#source, (error) => {
      if (this.#isOver) return;
      this.close();
      this.#observer.failed(error);
    });
  }

  #portion(changes: readonly Change[], through: Zxid, taken: () => void): void {
    const draft = this.#draft;
    if (draft === undefined) {
      this.#observer.portion(changes, through, taken);
      return;
    }
    for (const change of changes) draft.apply(change);
    draft.position = through;
    taken();
    this.#next(draft);
  }

  #ended(end: StreamEnd): void {
    if (this.#isOver) return;
    if (this.#draft === undefined || end.kind !== "compacted") {
      this.close();
      this.#observer.ended(end);
      return;
    }
    // The reads took so long that the changes meanwhile are no longer kept.
    this.#reads.close();
    this.#reads = this.#newReads();
    this.begin();
  }

  /** Reads what is known and not read, as far as not too much is under way. Without any, the copy may be whole. */
  #next(draft: Draft): void {
    while (draft.underWay < READS_MAX) {
      const path = draft.unread.pop();
      if (path === undefined) break;
      this.#read(draft, path, () => this.#next(draft));
    }
    if (this.#draft !== draft || draft.underWay > 0 || draft.position < draft.latest) return;
    this.#draft = undefined;
    this.#observer.copied(draft.znodes(), draft.position);
  }

  #read(draft: Draft, path: string, done: (zxid: Zxid) => void): void {
    const isRoot = path === this.#path;
    const isDone = (zxid: Zxid): void => {
      draft.underWay -= 1;
      done(zxid);
    };
    const came = (found: CopiedZnode | undefined, zxid: Zxid): void => {
      draft.underWay -= 1;
      if (zxid < draft.position) {
        this.#read(draft, path, done);
        return;
      }
      draft.read(path, found, zxid);
      const hasBelow = found !== undefined && found.stat.numChildren > 0;
      if (hasBelow && this.#goesBelow(isRoot)) this.#list(draft, path);
      done(zxid);
    };
    draft.underWay += 1;
    // A znode that the client may not read is left out, with all that is below it.
    const refused = isRoot ? undefined : (): void => isDone(draft.position);
    if (this.#options.data) this.#reads.data(path, came, refused);
    else this.#reads.stat(path, (found, zxid) => came(found && { ...found, data: null }, zxid));
  }

  #goesBelow(isRoot: boolean): boolean {
    const { recursive } = this.#options;
    return recursive === true || (recursive === "children" && isRoot);
  }

  #list(draft: Draft, path: string): void {
    const over = (): void => {
      draft.underWay -= 1;
      this.#next(draft);
    };
    draft.underWay += 1;
    listChildren(this.#reads, {
      ...{ path, hasPages: this.#source.hasPages, refused: over },
      names: (names, zxid) => {
        draft.saw(zxid);
        const below = path === "/" ? "/" : `${path}/`;
        for (const name of names) draft.unread.push(below + name);
      },
      done: (_exists, zxid) => {
        draft.saw(zxid);
        over();
      },
    });
  }
}

/** A copy in the making. What a read at a later zxid has found holds earlier changes already. */
class Draft implements Znodes {
  readonly #options: { readonly root: string; readonly data: boolean };
  readonly #entries = new Map<string, CopiedZnode & { readonly readAt: Zxid }>();
  /** The stream has come here. */
  position: Zxid = ZXID_NONE;
  /** The latest zxid of a read. */
  latest: Zxid = ZXID_NONE;
  underWay = 0;
  readonly unread: string[] = [];
  /** That of the change that is being applied. */
  #changedAt: Zxid = ZXID_NONE;

  constructor(options: { readonly root: string; readonly data: boolean }) {
    this.#options = options;
  }

  saw(zxid: Zxid): void {
    if (zxid > this.latest) this.latest = zxid;
  }

  read(path: string, znode: CopiedZnode | undefined, zxid: Zxid): void {
    this.saw(zxid);
    if (znode === undefined) this.#entries.delete(path);
    else this.#entries.set(path, { stat: znode.stat, data: znode.data, readAt: zxid });
  }

  apply(change: Change): void {
    this.#changedAt = change.zxid;
    applyChange(this, change, this.#options);
  }

  get(path: string): CopiedZnode | undefined {
    return this.#entries.get(path);
  }

  set(path: string, { stat, data }: CopiedZnode): void {
    const readAt = this.#readAt(path);
    if (readAt < this.#changedAt) this.#entries.set(path, { stat, data, readAt });
  }

  delete(path: string): void {
    if (this.#readAt(path) < this.#changedAt) this.#entries.delete(path);
  }

  #readAt(path: string): Zxid {
    return this.#entries.get(path)?.readAt ?? ZXID_NONE;
  }

  /** Without what is below a znode that is not known, since the client may not read it. */
  znodes(): SortedMap<CopiedZnode> {
    const entries: (readonly [string, CopiedZnode])[] = [];
    const shown = new Set<string>();
    for (const path of [...this.#entries.keys()].toSorted(inOrder)) {
      const entry = this.#entries.get(path);
      if (entry === undefined || (path !== this.#options.root && !shown.has(parentOf(path))))
        continue;
      shown.add(path);
      entries.push([path, { stat: entry.stat, data: entry.data }]);
    }
    return SortedMap.of(entries);
  }
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : 1;
}
