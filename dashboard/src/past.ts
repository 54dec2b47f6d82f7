/** What the node knows of the past, as the API tells it. An answer may take seconds: another process builds the tree of then. */
import type { Cause, ChangeKind, Outcome } from "./format/changes.ts";
import { codeOf, read, type Acl, type ChildrenPage, type Stat, type Znode } from "./api.ts";

export type Transaction = { readonly zxid: string; readonly time: string };

export type EpochSpan = { readonly from: string; readonly to: string };

export type Span = {
  readonly from: string;
  readonly to: string;
  readonly snapshots: readonly string[];
  readonly epochs: readonly EpochSpan[];
};

/** `last`: the last transaction up to the zxid. */
export type ZnodeThen = Znode & { readonly last: Transaction | null };
export type ChildrenThen = Omit<ChildrenPage, "sorted"> & { readonly last: Transaction | null };

export type Change = {
  readonly kind: ChangeKind;
  readonly path: string;
  readonly zxid: string;
  readonly index: number;
  readonly time: string;
  readonly stat: Stat;
  /** Missing: it is too large to be shown here, or the change was of something else. Null: no value. */
  readonly base64?: string | null;
  readonly by: Cause;
};

export type ChangesPage = {
  readonly known: EpochSpan;
  readonly changes: readonly Change[];
  readonly next: string | null;
};

export type Side = { readonly stat: Stat; readonly acl: readonly Acl[] };

export type Difference = Outcome & {
  readonly path: string;
  readonly before: Side | null;
  readonly after: Side | null;
};

export type DiffPage = {
  readonly from: string;
  readonly to: string;
  readonly changes: readonly Difference[];
  readonly next: string | null;
};

export type FindPage = {
  readonly zxid: string;
  readonly looked: number;
  readonly found: readonly {
    readonly path: string;
    readonly stat: Stat;
    readonly excerpt?: string;
  }[];
  readonly next: string | null;
};

export type BroughtBack = {
  readonly made: number;
  readonly present: number;
  readonly left: readonly { readonly path: string; readonly why: string }[];
  readonly closed: number;
  readonly next: string | null;
};

type Name = "span" | "history" | "znode-at" | "children-at" | "diff" | "find";

/** How often it is asked again: what was begun goes on at the node, and what was written a moment ago is known to be committed in a moment. */
const AGAIN: Readonly<Record<string, number>> = {
  ZOOID_HISTORY_SLOW: 10,
  ZOOID_HISTORY_BUSY: 10,
  ZOOID_ZXID_AHEAD: 3,
};
const AGAIN_MS = 500;

/** Throws ApiError. An answer of the past may take longer than a node makes anybody wait. */
export async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let times = 0; ; times += 1) {
    try {
      return await ask();
    } catch (error) {
      if (times >= (AGAIN[codeOf(error) ?? ""] ?? 0)) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** Throws ApiError. */
export function readPast<Answer>(
  name: Name,
  query: Readonly<Record<string, string | number | undefined>> = {},
): Promise<Answer> {
  return patiently(() => read<Answer>(name, query));
}

export function znodeAt(path: string, zxid: string): Promise<ZnodeThen> {
  return readPast<ZnodeThen>("znode-at", { path, zxid });
}
