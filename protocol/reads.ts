/** Reads, which a lane answers from its own replica without the log, and what clients are notified of. */
import type { Acl } from "./acl.ts";
import type { Code } from "./codes.ts";
import type { SessionId } from "./ids.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

export type Read =
  /** With `watch`, an exists of a missing znode sets a watch on its creation. */
  | { readonly kind: "exists"; readonly path: string; readonly watch: boolean }
  | { readonly kind: "getData"; readonly path: string; readonly watch: boolean }
  /** ZooKeeper's getChildren and getChildren2. */
  | { readonly kind: "getChildren"; readonly path: string; readonly watch: boolean }
  | ListChildren
  | ChildrenPage
  | ChildStats
  | ChangedPaths
  /** ClickHouse Keeper's listRecursive: the paths of at most so many znodes below this one, level by level. */
  | { readonly kind: "listRecursive"; readonly path: string; readonly znodesMax: number }
  | { readonly kind: "getAcl"; readonly path: string }
  /** The reads of several znodes, all of the same moment, each with a result of its own. */
  | { readonly kind: "multiRead"; readonly reads: readonly MemberRead[] }
  /** The ephemerals of the session whose paths begin like this. */
  | { readonly kind: "getEphemerals"; readonly prefix: string; readonly session: SessionId }
  /** How many znodes are below the path. */
  | { readonly kind: "getAllChildrenNumber"; readonly path: string }
  /** Adds a watch that stays when it has fired: of the path, or of all paths from it on. */
  | { readonly kind: "addWatch"; readonly path: string; readonly mode: StayingWatch }
  /** Asks whether the connection has such a watch, or removes it. */
  | { readonly kind: "checkWatches"; readonly path: string; readonly watcher: WatcherType }
  | { readonly kind: "removeWatches"; readonly path: string; readonly watcher: WatcherType }
  /**
   * Sets watches again after a reconnect. A one-shot watch whose znode changed after `relativeZxid` fires at once
   * (DataTree.setWatches). One that stays fires for each such change, as far as they are still known.
   */
  | ({ readonly kind: "setWatches"; readonly relativeZxid: Zxid } & WatchLists);

export type PageEnd = "more" | "last" | "lost";

/** A native client's: at most so many children, from the first on or from where another page ended. */
export type ChildrenPage = {
  readonly kind: "childrenPage";
  readonly path: string;
  readonly childrenMax: number;
  readonly after: PageBefore | undefined;
};

/** A native client's: the Stats of these children of a znode. */
export type ChildStats = {
  readonly kind: "childStats";
  readonly path: string;
  readonly names: readonly string[];
};

/** A native client's: where something has changed after a zxid, without what: of one znode, or with `below` of all below it too. */
export type ChangedPaths = {
  readonly kind: "changedPaths";
  readonly path: string;
  readonly below: boolean;
  /** Undefined: nothing is asked for but how far the replica is. */
  readonly after: Zxid | undefined;
  /** So many paths are told at most. */
  readonly pathsMax: number;
};

/** The page before: its last names, of which some may be gone, its zxid, and in which order its children stood. */
export type PageBefore = {
  readonly names: readonly string[];
  readonly zxid: Zxid;
  readonly order: string;
};

/** Which children are listed. */
export type ListedOnly = "all" | "persistent" | "ephemeral";

/** A member of a multiRead. It leaves a watch only for clients of ClickHouse Keeper. */
export type MemberRead =
  | {
      readonly kind: "exists" | "getData" | "getChildren";
      readonly path: string;
      readonly watch: boolean;
    }
  | ListChildren;

/**
 * ClickHouse Keeper's filteredList: the children of one sort. With `having` it is its filteredListWithStatsAndData, which also asks for what
 * the children have. Then a watch fires, too, when the data of a child changes.
 */
export type ListChildren = {
  readonly kind: "listChildren";
  readonly path: string;
  readonly watch: boolean;
  readonly only: ListedOnly;
  readonly having: { readonly stats: boolean; readonly values: boolean } | undefined;
};

/** The watches that stay when they have fired. `persistentRecursive` is about the path and all below it. Source: AddWatchMode. */
export type StayingWatch = "persistent" | "persistentRecursive";

/** The paths of watches that a client sets again, by their kind. `exist` are data watches of znodes that were not there. */
export type WatchLists = Readonly<
  Record<"data" | "exist" | "child" | StayingWatch, readonly string[]>
>;

export const NO_WATCHES: WatchLists = {
  data: [],
  exist: [],
  child: [],
  persistent: [],
  persistentRecursive: [],
};

/** All paths of the lists. */
export function pathsOf(lists: WatchLists): readonly string[] {
  const { data, exist, child, persistent, persistentRecursive } = lists;
  return [...data, ...exist, ...child, ...persistent, ...persistentRecursive];
}

/** Which watches of a path are meant. Source: ZooKeeper's Watcher.WatcherType. */
export type WatcherType = "child" | "data" | "any" | StayingWatch;

/** The reads whose answers are about one znode and nothing else. */
export type ZnodeRead = Extract<Read, { readonly kind: "exists" | "getData" }>;

export type ReadResult =
  | { readonly kind: "error"; readonly code: Code }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  /** The result of childrenPage. `end`: whether there are more; or that it is not known any more where the page before ended. */
  | {
      readonly kind: "page";
      readonly children: readonly string[];
      readonly stat: Stat;
      /** In which order children stand at this replica. It changes when one of them comes to stand elsewhere. */
      readonly order: string;
      readonly end: PageEnd;
    }
  /** The result of childStats: one for each name, null where there is no such child. */
  | { readonly kind: "stats"; readonly stats: readonly (Stat | null)[] }
  | Changed
  /** The result of listChildren. `having`: if Stats or data were asked for. */
  | {
      readonly kind: "listed";
      readonly children: readonly string[];
      readonly stat: Stat;
      readonly having: ListedHaving | undefined;
    }
  /** `lifetime`: of a znode that has one. ZooKeeper's protocol has no place for it. */
  | {
      readonly kind: "acl";
      readonly acl: readonly Acl[];
      readonly stat: Stat;
      readonly lifetime?: Lifetime;
    }
  | { readonly kind: "multiRead"; readonly results: readonly ReadResult[] }
  | { readonly kind: "paths"; readonly paths: readonly string[] }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "done" };

/** The result of changedPaths: what the asker may read of the changes after the zxid that was asked for, up to another. */
export type Changed = {
  readonly kind: "changed";
  /** What comes after it has not been looked at. */
  readonly through: Zxid;
  readonly changes: number;
  /** Each once. */
  readonly paths: readonly string[];
  /** Changes of other paths. */
  readonly unlisted: number;
  /** Whether there are more after `through`; or that the first ones are not known any more. */
  readonly end: PageEnd;
};

/** The Stats and the data of children that are listed: one of each child, or none at all. */
export type ListedHaving = {
  readonly stats: readonly Stat[];
  readonly values: readonly (Uint8Array | null)[];
};

/** What an answer takes beside data and names: a Stat, numbers, and the objects around them. */
const ANSWER_OVERHEAD_BYTES = 128;
const NAME_OVERHEAD_BYTES = 8;

/** Returns about how many bytes the answer takes, in memory and on the wire. */
export function answerBytes(result: ReadResult): number {
  switch (result.kind) {
    case "data":
      return ANSWER_OVERHEAD_BYTES + (result.data?.length ?? 0);
    case "children":
    case "page":
      return namesBytes(result.children);
    case "stats":
      return ANSWER_OVERHEAD_BYTES * (1 + result.stats.length);
    case "listed": {
      const { stats, values } = result.having ?? NOTHING_HAD;
      let bytes = namesBytes(result.children) + ANSWER_OVERHEAD_BYTES * stats.length;
      for (const each of values) bytes += NAME_OVERHEAD_BYTES + (each?.length ?? 0);
      return bytes;
    }
    case "paths":
    case "changed":
      return namesBytes(result.paths);
    case "multiRead":
      return result.results.reduce((bytes, each) => bytes + answerBytes(each), 0);
    case "acl": {
      let bytes = ANSWER_OVERHEAD_BYTES;
      for (const { scheme, id } of result.acl)
        bytes += ANSWER_OVERHEAD_BYTES + scheme.length + id.length;
      return bytes;
    }
    default:
      return ANSWER_OVERHEAD_BYTES;
  }
}

const NOTHING_HAD: ListedHaving = { stats: [], values: [] };

function namesBytes(names: readonly string[]): number {
  let bytes = ANSWER_OVERHEAD_BYTES;
  for (const name of names) bytes += NAME_OVERHEAD_BYTES + name.length;
  return bytes;
}

/** Source: ZooKeeper's Watcher.Event.EventType. */
export const WatchEventType = {
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
} as const;
export type WatchEventType = (typeof WatchEventType)[keyof typeof WatchEventType];

export type WatchEvent = {
  readonly type: WatchEventType;
  readonly path: string;
  /** The zxid of the transaction that caused the event. */
  readonly zxid: Zxid;
  /** Whoever may not read by this list is not told. Undefined: it is the open one, or the event tells nothing that `exists` would not. */
  readonly acl?: readonly Acl[];
};

/** One change of one znode, in a change stream. */
export type Change = {
  /** The transaction that made the change. `changes(path, { from: zxid })` goes on behind it. */
  readonly zxid: Zxid;
  /** The position among the changes of the same zxid, from 0. A multi and the end of a session make several. */
  readonly index: number;
  /** What was done: the znode was made or deleted, its data was set, or its access control list. */
  readonly kind: "created" | "deleted" | "data" | "acl";
  /** The znode that was changed. */
  readonly path: string;
  /** The Stat after the change. For a deleted znode, its last one. */
  readonly stat: Stat;
  /** The data of the znode, for the kinds created and data. */
  readonly data?: Uint8Array | null;
};
