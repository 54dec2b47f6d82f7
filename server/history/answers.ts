/** Answers questions about the past in the words of the JSON API. What was built for one answer is kept for the next: pages, or another znode then. */
import { isUtf8 } from "node:buffer";
import { isPublic, masked } from "../../protocol/access.ts";
import { checkPath } from "../../protocol/arguments.ts";
import { formatSession } from "../../protocol/ids.ts";
import { childOf } from "../../protocol/paths.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId } from "../../actors/tree/store/znodes.ts";
import { statJson } from "../admin/api/json.ts";
import { timeText } from "../offline/time-text.ts";
import type { Cause } from "./cause.ts";
import { changesOf, type FoundChange } from "./changes.ts";
import { type Difference, type DiffQuery, diffOf, type ZnodeThen } from "./diff.ts";
import { HistoryError } from "./errors.ts";
import { type Past, type PastOptions, type TreeThen, withPast } from "./past.ts";
import { type Asked, type Page, placeText, type Question } from "./questions.ts";

type Of<Kind extends Question["kind"]> = Extract<Question, { readonly kind: Kind }>;

/** What the last answer was made of. */
type Kept =
  | {
      readonly kind: "tree";
      readonly zxid: Zxid;
      readonly built: TreeThen;
      readonly state: TreeState;
      /** The names of the children that a page was made of, in order. */
      names?: { readonly path: string; readonly sorted: readonly string[] };
    }
  | {
      readonly kind: "diff";
      readonly of: DiffQuery;
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
        return await this.#with(async (past) => spanJson(past));
      case "history":
        return await this.#history(question, hidesClosed);
      case "znode":
        return znodeJson((await this.#treeAt(question)).state, question, hidesClosed);
      case "children":
        return childrenJson(await this.#treeAt(question), question, hidesClosed);
      case "diff":
        return diffJson(await this.#diff(question), question, hidesClosed);
    }
  }

  async #with<Result>(work: (past: Past) => Promise<Result>): Promise<Result> {
    // Two trees take twice the memory.
    this.#kept = undefined;
    return await withPast(this.#options, work);
  }

  async #treeAt({ zxid, path }: Of<"znode" | "children">): Promise<KeptTree> {
    checkPath(path);
    if (this.#kept?.kind === "tree" && this.#kept.zxid === zxid) return this.#kept;
    const before = this.#kept?.kind === "tree" && this.#kept.zxid < zxid ? this.#kept : undefined;
    const built = await this.#with(async (past) => {
      past.check(zxid);
      return await past.treeAt(zxid, before?.built);
    });
    const kept: KeptTree = { kind: "tree", zxid, built, state: built.tree.state };
    this.#kept = kept;
    return kept;
  }

  async #diff({ from, to, path }: Of<"diff">): Promise<readonly Difference[]> {
    checkPath(path);
    checkOrder(from, to);
    const kept = this.#kept?.kind === "diff" ? this.#kept : undefined;
    const isKept = kept?.of.from === from && kept.of.to === to && kept.of.path === path;
    if (kept !== undefined && isKept) return kept.differences;
    const of = { from, to, path };
    const differences = await this.#with(async (past) => await diffOf(past, of));
    this.#kept = { kind: "diff", of, differences };
    return differences;
  }

  async #history(query: Of<"history">, hidesClosed: boolean): Promise<object> {
    const { path, from, to } = query;
    checkPath(path);
    if (from !== undefined && to !== undefined) checkOrder(from, to);
    return await this.#with(async (past) => {
      const { changes, more, exists } = await changesOf(past, query);
      if (changes.length === 0 && exists === false && query.after === undefined) {
        throw neverThere(past, query);
      }
      const last = changes.at(-1);
      const next = more && last !== undefined ? placeText(last.change) : null;
      const known = { from: formatZxid(past.from), to: formatZxid(past.to) };
      return { path, known, changes: changes.map((each) => changeJson(each, hidesClosed)), next };
    });
  }
}

function checkOrder(from: Zxid, to: Zxid): void {
  if (from <= to) return;
  const why = `${formatZxid(from)} is after ${formatZxid(to)}: the earlier zxid comes first`;
  throw new HistoryError("ZOOID_BAD_ARGUMENTS", why);
}

function neverThere(past: Past, { path, recursive, from, to }: Of<"history">): HistoryError {
  const what = recursive ? `${path} and nothing below it` : path;
  const [begin, end] = [from ?? past.from, to ?? past.to].map((zxid) => formatZxid(zxid as Zxid));
  return new HistoryError(
    "ZOOID_NO_HISTORY",
    `there was no ${what} from ${begin} to ${end}; what is kept begins at ${formatZxid(past.from)}`,
  );
}

function spanJson({ from, to, retained }: Past): object {
  const snapshots = retained.starts.flatMap(({ zxid, snapshot }) =>
    snapshot === undefined ? [] : [formatZxid(zxid)],
  );
  return { from: formatZxid(from), to: formatZxid(to), snapshots };
}

function changeJson(found: FoundChange, hidesClosed: boolean): object {
  const { kind, path, zxid, index, stat, data } = found.change;
  const isShown = data !== undefined && !(hidesClosed && found.isClosed);
  return {
    ...{ kind, path, zxid: formatZxid(zxid), index },
    time: timeText(found.timeMs),
    stat: statJson(stat),
    ...(isShown && { base64: data === null ? null : Buffer.from(data).toString("base64") }),
    by: causeJson(found.cause),
  };
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

function znodeJson(state: TreeState, { zxid, path }: Of<"znode">, hidesClosed: boolean): object {
  const id = found(state, path, zxid);
  if (hidesClosed) checkOpen(state, id, path);
  const { znodes } = state;
  const data = znodes.data(id);
  const bytes = data === null ? undefined : Buffer.from(data);
  return {
    path,
    zxid: formatZxid(zxid),
    base64: bytes?.toString("base64") ?? null,
    text: bytes !== undefined && isUtf8(bytes) ? bytes.toString("utf8") : null,
    stat: statJson(znodes.stat(id)),
    acl: masked(znodes.acl(id)),
  };
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
  const { items, next } = pageOf(namesOf(tree, id, path), { after, limit }, String);
  const children = items.map((name) => {
    const child = found(state, childOf(path, name), zxid);
    return { name, stat: statJson(znodes.stat(child)) };
  });
  return { path, zxid: formatZxid(zxid), stat: statJson(znodes.stat(id)), children, next };
}

function diffJson(
  differences: readonly Difference[],
  { from, to, path, after, limit }: Of<"diff">,
  hidesClosed: boolean,
): object {
  const { items, next } = pageOf(differences, { after, limit }, (each) => each.path);
  const then = (znode: ZnodeThen | undefined): object | null => {
    if (znode === undefined) return null;
    const isHidden = hidesClosed && !isPublic(znode.acl);
    return { stat: statJson(znode.stat), acl: isHidden ? null : masked(znode.acl) };
  };
  const listed = items.map(({ before, after: since, ...each }) => ({
    ...each,
    before: then(before),
    after: then(since),
  }));
  return { path, from: formatZxid(from), to: formatZxid(to), changes: listed, next };
}

/** `all` is in the order of its names. */
function pageOf<Item>(
  all: readonly Item[],
  { after, limit }: Page,
  nameOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly next: string | null } {
  const first = after === "" ? 0 : firstBehind(all, after, nameOf);
  const items = all.slice(first, first + limit);
  const last = items.at(-1);
  const isLast = last === undefined || first + limit >= all.length;
  return { items, next: isLast ? null : nameOf(last) };
}

function firstBehind<Item>(
  all: readonly Item[],
  after: string,
  nameOf: (item: Item) => string,
): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = all[middle];
    if (item !== undefined && nameOf(item) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
