/** Answers questions about the past in the words of the JSON API. What was built for one answer is kept for the next: pages, or another znode then. */
import { isUtf8 } from "node:buffer";
import { isPublic, masked } from "../../protocol/access.ts";
import type { Acl } from "../../protocol/acl.ts";
import { assert } from "../../protocol/assert.ts";
import { checkPath } from "../../protocol/arguments.ts";
import { formatSession } from "../../protocol/ids.ts";
import { childOf } from "../../protocol/paths.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId } from "../../actors/tree/store/znodes.ts";
import { statJson } from "../admin/api/json.ts";
import { timeText } from "../offline/time-text.ts";
import type { Cause } from "./cause.ts";
import { changesOf, type FoundChange, type Hiding } from "./changes.ts";
import { type Difference, type DiffQuery, diffOf, type ZnodeThen } from "./diff.ts";
import type { EpochSpan } from "./epochs.ts";
import { HistoryError } from "./errors.ts";
import { closedIn, type FindPlace, findPlaceIn, Search } from "./find.ts";
import { type Past, type PastOptions, type TreeThen, withPast } from "./past.ts";
import { type Asked, placeText, type Question, type SubtreeQuestion } from "./questions.ts";
import { Subtree } from "./subtree.ts";

type Of<Kind extends Question["kind"]> = Extract<Question, { readonly kind: Kind }>;

type TreeQuery = { readonly zxid?: Zxid | undefined; readonly path: string };
type DiffOf = DiffQuery & Hiding;
type SearchBegin = Hiding & { readonly place: FindPlace | undefined; readonly key: string };

const NO_PATHS: ReadonlySet<string> = new Set();

/** What the last answer was made of. */
type Kept =
  | {
      readonly kind: "tree";
      readonly zxid: Zxid;
      readonly built: TreeThen;
      readonly state: TreeState;
      /** The names of the children that a page was made of, in order. */
      names?: { readonly path: string; readonly sorted: readonly string[] };
      /** What the last page of a subtree came from, and of a search: the next one goes on with it. */
      subtree?:
        | { readonly path: string; readonly next: string; readonly subtree: Subtree }
        | undefined;
      search?: { readonly key: string; readonly search: Search } | undefined;
    }
  | {
      readonly kind: "diff";
      readonly of: DiffOf;
      readonly differences: readonly Difference[];
    };

type KeptTree = Extract<Kept, { readonly kind: "tree" }>;

/** One question at a time. */
export class PastReader {
  readonly #options: PastOptions;
  #kept: Kept | undefined;

  constructor(options: PastOptions) {
    this.#options = options;
  }

  /** Rejects with a `HistoryError` or a `BadArgumentsError`. */
  async answer({ question, hidesClosed }: Asked): Promise<object> {
    switch (question.kind) {
      case "span":
        return await this.#with(async (past) => spanJson(past, await past.epochs()));
      case "history":
        return await this.#history(question, hidesClosed);
      case "znode":
        return znodeJson((await this.#treeAt(question)).state, question, hidesClosed);
      case "children":
        return childrenJson(await this.#treeAt(question), question, hidesClosed);
      case "diff":
        return await this.#diff(question, hidesClosed);
      case "find":
        return await this.#find(question, hidesClosed);
      case "subtree":
        return await this.#subtree(question);
    }
  }

  async #with<Result>(work: (past: Past) => Promise<Result>): Promise<Result> {
    // Two trees take twice the memory.
    this.#kept = undefined;
    return await withPast(this.#options, work);
  }

  /** Without a zxid it is the last tree that is known. */
  async #treeAt({ zxid: asked, path }: TreeQuery): Promise<KeptTree> {
    checkPath(path);
    const last = this.#kept?.kind === "tree" ? this.#kept : undefined;
    if (last !== undefined && last.zxid === asked) return last;
    const kept = await this.#with(async (past): Promise<KeptTree> => {
      const zxid = asked ?? past.to;
      past.check(zxid);
      if (last?.zxid === zxid) return last;
      const before = last !== undefined && last.zxid < zxid ? last.built : undefined;
      const built = await past.treeAt(zxid, before);
      return { kind: "tree", zxid, built, state: built.tree.state };
    });
    this.#kept = kept;
    return kept;
  }

  async #find(question: Of<"find">, hidesClosed: boolean): Promise<object> {
    const { path, pattern, value, after, limit } = question;
    const place = findPlaceIn(after);
    const keyOf = (next: string): string =>
      JSON.stringify([path, pattern, value, hidesClosed, next]);
    const key = keyOf(after);
    if (this.#kept?.kind !== "tree" || this.#kept.search?.key !== key) {
      await this.#beginSearch(question, { place, hidesClosed, key });
    }
    const kept = this.#kept?.kind === "tree" ? this.#kept : undefined;
    assert(kept?.search !== undefined, "a search has been begun");
    const { search } = kept.search;
    const page = search.page(limit, () => performance.now());
    kept.search = page.next === null ? undefined : { key: keyOf(page.next), search };
    return page;
  }

  async #subtree({ zxid, path, after, limit }: SubtreeQuestion): Promise<object> {
    const kept = await this.#treeAt({ zxid, path });
    const { state } = kept;
    const before = kept.subtree?.path === path && kept.subtree.next === after;
    const subtree =
      (before ? kept.subtree?.subtree : undefined) ??
      new Subtree(state, { top: found(state, path, zxid), path, skipped: indexIn(after) });
    const page = subtree.page(limit);
    kept.subtree = page.next === null ? undefined : { path, next: page.next, subtree };
    return page;
  }

  async #beginSearch(
    { path, pattern, value, zxid: asked }: Of<"find">,
    { place, hidesClosed, key }: SearchBegin,
  ): Promise<void> {
    const sought = place?.zxid ?? asked;
    // The last tree knows by itself who may read what today.
    const asksPast = hidesClosed && sought !== undefined;
    const closedToday = asksPast ? closedIn((await this.#treeAt({ path })).state) : NO_PATHS;
    const kept = await this.#treeAt({ path, zxid: sought });
    const { state, zxid } = kept;
    const top = found(state, path, zxid);
    const options = { path, pattern, value, zxid, hidesClosed, top, closedToday };
    kept.search = { key, search: new Search(state, options, place) };
  }

  async #diff(question: Of<"diff">, hidesClosed: boolean): Promise<object> {
    const { from, to, path, after } = question;
    checkPath(path);
    checkOrder(from, to);
    const first = indexIn(after);
    const of = { from, to, path, hidesClosed };
    const differences = this.#keptDiff(of) ?? (await this.#with((past) => diffOf(past, of)));
    this.#kept = { kind: "diff", of, differences };
    return diffJson(differences, first, question, hidesClosed);
  }

  #keptDiff({ from, to, path, hidesClosed }: DiffOf): readonly Difference[] | undefined {
    if (this.#kept?.kind !== "diff") return undefined;
    const { of, differences } = this.#kept;
    const isSame = of.from === from && of.to === to && of.path === path;
    return isSame && of.hidesClosed === hidesClosed ? differences : undefined;
  }

  async #history(query: Of<"history">, hidesClosed: boolean): Promise<object> {
    const { path, from, to } = query;
    checkPath(path);
    if (from !== undefined && to !== undefined) checkOrder(from, to);
    return await this.#with(async (past) => {
      const { changes, more, exists } = await changesOf(past, { ...query, hidesClosed });
      if (changes.length === 0 && exists === false && query.after === undefined) {
        throw neverThere(past, query, hidesClosed);
      }
      const last = changes.at(-1);
      const next = more && last !== undefined ? placeText(last.change) : null;
      const known = { from: formatZxid(past.from), to: formatZxid(past.to) };
      return { path, known, changes: changes.map(changeJson), next };
    });
  }
}

function checkOrder(from: Zxid, to: Zxid): void {
  if (from <= to) return;
  const why = `${formatZxid(from)} is after ${formatZxid(to)}: the earlier zxid comes first`;
  throw new HistoryError("ZOOID_BAD_ARGUMENTS", why);
}

function neverThere(
  past: Past,
  { path, recursive, from, to }: Of<"history">,
  hidesClosed: boolean,
): HistoryError {
  const top = recursive ? `${path} and nothing below it` : path;
  const what = hidesClosed ? `${top} that everybody might read` : top;
  const [begin, end] = [from ?? past.from, to ?? past.to].map((zxid) => formatZxid(zxid as Zxid));
  return new HistoryError(
    "ZOOID_NO_HISTORY",
    `there was no ${what} from ${begin} to ${end}; what is kept begins at ${formatZxid(past.from)}`,
  );
}

function spanJson({ from, to, retained }: Past, epochs: readonly EpochSpan[]): object {
  const snapshots = retained.starts.flatMap(({ zxid, snapshot }) =>
    snapshot === undefined ? [] : [formatZxid(zxid)],
  );
  const spans = epochs.map((each) => ({ from: formatZxid(each.from), to: formatZxid(each.to) }));
  return { from: formatZxid(from), to: formatZxid(to), snapshots, epochs: spans };
}

function changeJson({ change, timeMs, cause }: FoundChange): object {
  const { kind, path, zxid, index, stat, data } = change;
  return {
    ...{ kind, path, zxid: formatZxid(zxid), index },
    time: timeText(timeMs),
    stat: statJson(stat),
    ...(data !== undefined && { base64: base64Of(data) }),
    by: causeJson(cause),
  };
}

function base64Of(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString("base64");
}

function causeJson({ operation, session, address, identities, node }: Cause): object {
  return {
    operation,
    session: session === undefined ? null : formatSession(session),
    address: address ?? null,
    identities: identities.map(({ scheme, id }) => ({ scheme, id })),
    node: node ?? null,
  };
}

function found({ znodes }: TreeState, path: string, zxid: Zxid): ZnodeId {
  const id = znodes.find(path);
  if (id !== undefined) return id;
  throw new HistoryError("ZOOID_NO_NODE", `there was no ${path} at ${formatZxid(zxid)}`);
}

function checkOpen({ znodes }: TreeState, id: ZnodeId, path: string): void {
  if (isPublic(znodes.acl(id))) return;
  throw new HistoryError("ZOOID_NO_AUTH", `the list of ${path} did not let everybody read it`);
}

/** The last transaction that the tree has, and when it was. Null: there was none yet. */
function lastJson({ lastApplied, lastTimeMs }: TreeState): object | null {
  if (lastApplied === ZXID_NONE) return null;
  return { zxid: formatZxid(lastApplied), time: timeText(lastTimeMs) };
}

function znodeJson(state: TreeState, { zxid, path }: Of<"znode">, hidesClosed: boolean): object {
  const id = found(state, path, zxid);
  if (hidesClosed) checkOpen(state, id, path);
  const { znodes } = state;
  const data = znodes.data(id);
  return {
    path,
    zxid: formatZxid(zxid),
    last: lastJson(state),
    base64: base64Of(data),
    text: data !== null && isUtf8(data) ? Buffer.from(data).toString("utf8") : null,
    stat: statJson(znodes.stat(id)),
    acl: shownAcl(znodes.acl(id), hidesClosed),
  };
}

/** Whoever may read the folder is told the list so that it can be given again. */
function shownAcl(acl: readonly Acl[], hidesClosed: boolean): readonly Acl[] {
  return hidesClosed ? masked(acl) : acl;
}

/** A znode may have a million children, and be asked for page after page. */
function namesOf(tree: KeptTree, id: ZnodeId, path: string): readonly string[] {
  if (tree.names?.path !== path) {
    tree.names = { path, sorted: tree.state.znodes.children(id).sort() };
  }
  return tree.names.sorted;
}

function childrenJson(
  tree: KeptTree,
  { zxid, path, after, limit }: Of<"children">,
  hidesClosed: boolean,
): object {
  const { state } = tree;
  const id = found(state, path, zxid);
  if (hidesClosed) checkOpen(state, id, path);
  const { znodes } = state;
  const names = namesOf(tree, id, path);
  const first = after === "" ? 0 : firstBehind(names, after);
  const shown = names.slice(first, first + limit);
  const next = first + limit < names.length ? (shown.at(-1) ?? null) : null;
  const children = shown.map((name) => {
    const child = found(state, childOf(path, name), zxid);
    return { name, stat: statJson(znodes.stat(child)) };
  });
  const [last, stat] = [lastJson(state), statJson(znodes.stat(id))];
  return { path, zxid: formatZxid(zxid), last, stat, children, next };
}

function diffJson(
  differences: readonly Difference[],
  first: number,
  { from, to, path, limit }: Of<"diff">,
  hidesClosed: boolean,
): object {
  const then = (znode: ZnodeThen | undefined): object | null =>
    znode === undefined
      ? null
      : { stat: statJson(znode.stat), acl: shownAcl(znode.acl, hidesClosed) };
  const end = first + limit;
  const changes = differences
    .slice(first, end)
    .map(({ before, after, ...each }) => ({ ...each, before: then(before), after: then(after) }));
  const next = end < differences.length ? String(end) : null;
  return { path, from: formatZxid(from), to: formatZxid(to), changes, next };
}

/** Where a page of differences or of a subtree begins. It is a number, since the last path of a page may be one that is left out. */
function indexIn(after: string): number {
  if (/^\d{0,9}$/.test(after)) return Number(after);
  throw new HistoryError("ZOOID_BAD_ARGUMENTS", "after is what next was");
}

function firstBehind(names: readonly string[], after: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const name = names[middle];
    if (name !== undefined && name <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
