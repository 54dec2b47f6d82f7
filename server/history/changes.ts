/** The changes of a znode, or of it and all below it, between two zxids. */
import { HISTORY_VALUE_BYTES_MAX } from "./limits.ts";
import { isAtOrBelow } from "../../protocol/paths.ts";
import type { Change } from "../../protocol/reads.ts";
import { earlierOf, laterOf, type Zxid } from "../../protocol/zxid.ts";
import type { Past, PastChange } from "./past.ts";
import type { Cause } from "./cause.ts";

/** A change among those of its zxid: a transaction, or a delete of a subtree, has many. */
export type Place = { readonly zxid: Zxid; readonly index: number };

export type ChangesQuery = {
  readonly path: string;
  /** Also of everything below the path. */
  readonly recursive: boolean;
  /** The first zxid and the last one that are of interest. Default: all that is kept. */
  readonly from?: Zxid | undefined;
  readonly to?: Zxid | undefined;
  readonly order: "newest" | "oldest";
  /** How many changes at most. */
  readonly limit: number;
  /** Go on behind this change, in the given order. */
  readonly after?: Place | undefined;
};

export type Hiding = {
  /** Nothing is told of what happened to a znode while its list did not let everybody read it. */
  readonly hidesClosed: boolean;
};

type Sought = ChangesQuery & Hiding;

export type FoundChange = {
  readonly change: Change;
  readonly timeMs: number;
  readonly cause: Cause;
};

export type FoundChanges = {
  readonly changes: readonly FoundChange[];
  /** Whether there are more in this order. */
  readonly more: boolean;
  /** Whether the znode exists at the end of the span. Undefined: more changes were found than were asked for, so it was not looked for. */
  readonly exists: boolean | undefined;
};

/** Throws a `HistoryError` if nothing is known of `to`. What is no longer kept of what is after `from` is left out. */
export async function changesOf(past: Past, query: Sought): Promise<FoundChanges> {
  if (query.to !== undefined) past.check(query.to);
  return query.order === "newest" ? await newest(past, query) : await oldest(past, query);
}

/** Only the last stretch between two snapshots is read, and the one before it if that had too few, and so on. */
async function newest(past: Past, query: Sought): Promise<FoundChanges> {
  const { limit, after: behind } = query;
  const { after, to } = spanOf(past, query);
  let end = behind === undefined ? to : earlierOf(to, behind.zxid);
  let found: FoundChange[] = [];
  let exists: boolean | undefined;
  for (const start of past.retained.starts.toReversed()) {
    if (start.zxid >= end && start !== past.retained.starts[0]) continue;
    const enough = limit + 1 - found.length;
    const some: FoundChange[] = [];
    const span = { start, after: laterOf(after, start.zxid), to: end };
    const visit = seeking(query, (change) => {
      some.push(change);
      if (some.length > 2 * enough) some.splice(0, some.length - enough);
      return true;
    });
    const tree = await past.visit(span, visit);
    exists ??= tree.state.znodes.find(query.path) !== undefined;
    found = [...some.slice(-enough), ...found];
    end = start.zxid;
    if (found.length > limit || end <= after) break;
  }
  const more = found.length > limit;
  return { changes: found.slice(more ? 1 : 0).toReversed(), more, exists };
}

async function oldest(past: Past, query: Sought): Promise<FoundChanges> {
  const { limit, after: behind } = query;
  const { after: first, to } = spanOf(past, query);
  // The change itself has this zxid, and others may have it too.
  const after = behind === undefined ? first : laterOf(first, (behind.zxid - 1) as Zxid);
  const changes: FoundChange[] = [];
  let more = false;
  const span = { start: past.startFor(after), after, to };
  const visit = seeking(query, (change) => {
    more = changes.length === limit;
    if (!more) changes.push(change);
    return !more;
  });
  const tree = await past.visit(span, visit);
  return {
    changes,
    more,
    exists: more ? undefined : tree.state.znodes.find(query.path) !== undefined,
  };
}

/** Gives `take` the changes that are sought, until it returns false. No others are built, and no records without them are decoded for causes. */
function seeking(
  query: Sought,
  take: (found: FoundChange) => boolean,
): (change: PastChange) => boolean {
  return (seen) => {
    if (!isSought(query, seen)) return true;
    const change = seen.build();
    if (!isBehind(query, change)) return true;
    return take({ change: kept(change), timeMs: seen.timeMs, cause: seen.cause() });
  };
}

/** Values that are large are left out, so that many changes may be kept. */
function kept({ data, ...others }: Change): Change {
  const isKept = data !== undefined && (data?.length ?? 0) <= HISTORY_VALUE_BYTES_MAX;
  // The data is a view of what the tree keeps of all changes.
  return isKept ? { ...others, data: data?.slice() ?? null } : others;
}

/** What is before the first zxid, and the last one. */
function spanOf(
  past: Past,
  { from, to }: ChangesQuery,
): { readonly after: Zxid; readonly to: Zxid } {
  const after = laterOf(past.from, (Math.max(1, from ?? 0) - 1) as Zxid);
  return { after, to: to ?? past.to };
}

function isSought(
  { path, recursive, hidesClosed }: Sought,
  { path: changed, isClosed }: PastChange,
): boolean {
  if (hidesClosed && isClosed) return false;
  return recursive ? isAtOrBelow(changed, path) : changed === path;
}

/** Whether the change is behind the one that the page before has ended with. Other zxids are where the span ends, or within it. */
function isBehind({ order, after }: ChangesQuery, { zxid, index }: Place): boolean {
  if (after === undefined || zxid !== after.zxid) return true;
  return order === "newest" ? index < after.index : index > after.index;
}
