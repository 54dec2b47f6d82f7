/** What a lane answers from its own replica, without the log. */
import type { Acl } from "./acl.ts";
import type { Code } from "./codes.ts";
import type { Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

export type Read =
  /** With `watch`, an exists of a missing node leaves a watch for its creation. */
  | { readonly kind: "exists"; readonly path: string; readonly watch: boolean }
  | { readonly kind: "getData"; readonly path: string; readonly watch: boolean }
  /** ZooKeeper's getChildren and getChildren2. */
  | { readonly kind: "getChildren"; readonly path: string; readonly watch: boolean }
  | { readonly kind: "getAcl"; readonly path: string }
  /** Sets watches again after a reconnect; what changed since `relativeZxid` fires at once (DataTree.setWatches). */
  | {
      readonly kind: "setWatches";
      readonly relativeZxid: Zxid;
      readonly data: readonly string[];
      readonly exist: readonly string[];
      readonly child: readonly string[];
    };

export type ReadResult =
  | { readonly kind: "error"; readonly code: Code }
  | { readonly kind: "stat"; readonly stat: Stat }
  | { readonly kind: "data"; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat: Stat }
  | { readonly kind: "acl"; readonly acl: readonly Acl[]; readonly stat: Stat }
  | { readonly kind: "done" };

/** Beside data and names: a Stat, numbers, what holds them. */
const ANSWER_OVERHEAD_BYTES = 128;
const NAME_OVERHEAD_BYTES = 8;

/** About how many bytes the answer takes, in memory as on the wire. */
export function answerBytes(result: ReadResult): number {
  switch (result.kind) {
    case "data":
      return ANSWER_OVERHEAD_BYTES + (result.data?.length ?? 0);
    case "children": {
      let bytes = ANSWER_OVERHEAD_BYTES;
      for (const name of result.children) bytes += NAME_OVERHEAD_BYTES + name.length;
      return bytes;
    }
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
  /** Of the transaction that caused it. */
  readonly zxid: Zxid;
};

/** One change of one znode, in a change stream. */
export type Change = {
  readonly zxid: Zxid;
  /** Position among the changes of the same zxid (a multi, a closed session), from 0. */
  readonly index: number;
  readonly kind: "created" | "deleted" | "data" | "acl";
  readonly path: string;
  /** After the change; of a deleted node, its last. */
  readonly stat: Stat;
  /** Of created and data. */
  readonly data?: Uint8Array | null;
};
