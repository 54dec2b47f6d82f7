/**
 * A leader's view of one follower. Raft's progress: `accepted` is the match index, `next` of what is sent to it alone the next index.
 * A follower is not probed: it says itself where its log ends when an append does not follow it.
 */
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { DiskSpace } from "../../protocol/replication.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export type FollowerIncarnation = {
  /** Of the process that was heard last. Undefined: none yet. */
  nonce: number | undefined;
  number: number;
  /** Counted of earlier processes on the same folder: a later one must hold it, too. */
  owed: Zxid;
  /** It does not. Nothing of it counts until it says that it has no vote. */
  hasForgotten: boolean;
};

/** How records reach a follower. */
export type Replication =
  /** It takes what is broadcast to all. */
  | { readonly kind: "streaming" }
  /** It missed something. What follows `from` was sent to it alone up to `next`, out of memory. Invariant: from <= next. */
  | { readonly kind: "replaying"; readonly from: Zxid; readonly next: Zxid; readonly atMs: number }
  /** What follows `from` is in memory no more and is being read from the log. */
  | { readonly kind: "readingLog"; readonly from: Zxid; readonly atMs: number }
  /** Its log ends before this leader's begins: it was offered a snapshot, and asks for the rest itself. */
  | { readonly kind: "installingSnapshot" };

export type Follower = {
  /** The folder that `accepted` is of: it counts while that folder does. */
  identity: Identity | undefined;
  /** Another folder under its number, and what is durable there and equal to the leader's log. */
  guest: { readonly identity: Identity; readonly accepted: Zxid } | undefined;
  /** Durable there and equal to the leader's log up to here, and counted. */
  accepted: Zxid;
  /** What its folder has acknowledged in earlier incarnations, and whether it still holds that (`ensemble/forgotten.ts`). */
  incarnation: FollowerIncarnation;
  /** What it said last of its disk, and when. Undefined: nothing yet. */
  diskSpace: DiskSpace | undefined;
  diskSpaceAtMs: number;
  /** What it said last of its memory, and when. */
  treeFull: boolean;
  treeFullAtMs: number;
  replication: Replication;
};

/** What was sent and led to nothing for so long is sent again. */
const STALLED_MS = 300;

export function newFollower(nowMs: number): Follower {
  return {
    identity: undefined,
    guest: undefined,
    accepted: ZXID_NONE,
    incarnation: newIncarnation(),
    diskSpace: undefined,
    diskSpaceAtMs: nowMs,
    treeFull: false,
    treeFullAtMs: nowMs,
    replication: { kind: "streaming" },
  };
}

export function newIncarnation(): FollowerIncarnation {
  return { nonce: undefined, number: 0, owed: ZXID_NONE, hasForgotten: false };
}

export function newFollowers(
  { voters, server }: { readonly voters: readonly ServerId[]; readonly server: ServerId },
  nowMs: number,
): Map<ServerId, Follower> {
  const others = voters.filter((voter) => voter !== server);
  return new Map(others.map((voter) => [voter, newFollower(nowMs)]));
}

/**
 * Whether a follower that says that its log ends at `holds` is to be sent what follows. It may have spoken before it got what is on
 * its way; that it holds less than the leader thought is news.
 */
export function isNews(replication: Replication, holds: Zxid, nowMs: number): boolean {
  if (replication.kind === "streaming" || replication.kind === "installingSnapshot") return true;
  if (nowMs - replication.atMs >= STALLED_MS || holds < replication.from) return true;
  return replication.kind === "replaying" && holds >= replication.next;
}

export type Step = { readonly kind: "send"; readonly after: Zxid } | { readonly kind: "streaming" };

/**
 * What comes after the follower has acknowledged up to `accepted`. Undefined: nothing yet. What is being read goes out when it has
 * been; a second read would send it twice, and so on with each answer to it.
 */
export function stepAfter(replication: Replication, accepted: Zxid, tail: Zxid): Step | undefined {
  if (replication.kind !== "replaying" || accepted < replication.next) return undefined;
  return replication.next < tail
    ? { kind: "send", after: replication.next }
    : { kind: "streaming" };
}

/** Whether records that were read from the log after `after` are what the follower waits for, and not those of a read that was replaced. */
export function awaitsRead(replication: Replication, after: Zxid): boolean {
  return replication.kind === "readingLog" && replication.from === after;
}
