/**
 * A leader's view of one follower, as etcd's `Progress`: `accepted` is Raft's match index, and the `next` of a replay is the next index.
 * A follower is not probed for the end of its log: it reports the end itself when an append does not follow it.
 */
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { DiskSpace } from "../../protocol/replication.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export type FollowerIncarnation = {
  /** The nonce of the process from which the last message came. Undefined: there was none yet. */
  nonce: number | undefined;
  /** How often that process's folder had been started. */
  number: number;
  /** What was counted of earlier processes on the same folder. The present process must hold it too. */
  owed: Zxid;
  /** The present process does not hold what is owed. It counts for nothing until it says that it has no vote. */
  hasForgotten: boolean;
};

/** How records reach a follower. */
export type Replication =
  /** The follower takes the records that are broadcast to all. */
  | { readonly kind: "streaming" }
  /**
   * The follower has missed records. Those after `from` up to `next` were sent to it alone at `atMs`. Invariant: from <= next.
   */
  | { readonly kind: "replaying"; readonly from: Zxid; readonly next: Zxid; readonly atMs: number }
  /** The records after `from` are no longer in memory, and the log has been reading them since `atMs`. */
  | { readonly kind: "readingLog"; readonly from: Zxid; readonly atMs: number }
  /** The follower's log ends before this leader's begins. It was offered a snapshot and asks for its chunks. */
  | { readonly kind: "installingSnapshot" };

export type Follower = {
  /** The folder that has acknowledged `accepted`, which counts only as long as this folder counts. */
  identity: Identity | undefined;
  /** A folder that is not the number's own, and up to where it has the leader's log durably. */
  guest: { readonly identity: Identity; readonly accepted: Zxid } | undefined;
  /** The follower's log is durable and equal to the leader's up to this zxid, and that counts for quorums. */
  accepted: Zxid;
  /** What the folder has acknowledged in earlier incarnations, and whether it still holds that (`ensemble/forgotten.ts`). */
  incarnation: FollowerIncarnation;
  /** The follower's last report of its disk, and when it came. Undefined: there was none yet. */
  diskSpace: DiskSpace | undefined;
  diskSpaceAtMs: number;
  /** The follower's last report of its memory, and when it came. */
  treeFull: boolean;
  treeFullAtMs: number;
  replication: Replication;
};

/** Records that were sent and had no effect for this long are sent again. */
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
 * Whether a follower that reports the end of its log at `holds` must be sent what follows. It may have sent the report before it received
 * what is on its way, and then the report is no news. A report of less than the leader believed is news.
 */
export function isNews(replication: Replication, holds: Zxid, nowMs: number): boolean {
  if (replication.kind === "streaming" || replication.kind === "installingSnapshot") return true;
  if (nowMs - replication.atMs >= STALLED_MS || holds < replication.from) return true;
  return replication.kind === "replaying" && holds >= replication.next;
}

export type Step = { readonly kind: "send"; readonly after: Zxid } | { readonly kind: "streaming" };

/**
 * What to do when the follower has acknowledged everything up to `accepted`. Undefined: nothing for now. While records are being read for
 * it they must not be read a second time: it would get them twice, and each of its answers would cause another read.
 */
export function stepAfter(replication: Replication, accepted: Zxid, tail: Zxid): Step | undefined {
  if (replication.kind !== "replaying" || accepted < replication.next) return undefined;
  return replication.next < tail
    ? { kind: "send", after: replication.next }
    : { kind: "streaming" };
}

/** Whether the follower waits for the records that were read after `after`. Otherwise they are of a read that another has replaced. */
export function awaitsRead(replication: Replication, after: Zxid): boolean {
  return replication.kind === "readingLog" && replication.from === after;
}
