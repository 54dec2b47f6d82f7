/** The types of replication that several actors and the files on disk share. */
import type { ServerId } from "./ids.ts";
import { type Epoch, EPOCH_NONE, type Zxid } from "./zxid.ts";

/**
 * What a voter has promised durably: it accepts nothing of an earlier epoch, and in this one only from this candidate. Raft's term
 * and vote, Zab's `acceptedEpoch`.
 */
export type EpochPromise = { readonly epoch: Epoch; readonly candidate: ServerId };

/** Names a snapshot. Two with equal fields have equal bytes. */
export type SnapshotIdentity = {
  /** The snapshot holds everything up to this zxid. */
  readonly zxid: Zxid;
  /** The length of the whole file. */
  readonly bytes: number;
  /** The CRC-32 of the whole file. */
  readonly checksum: number;
};

/**
 * Which writes of clients the ensemble takes. `noGrowth`: the memory of a node is nearly full, so none that grow the tree.
 * `sessionsOnly`: what is left on the disks is kept for sessions. `none`: a quorum cannot write.
 */
export type WriteAdmission = "all" | "noGrowth" | "sessionsOnly" | "none";

/**
 * The disk of one node. `low`: nothing more could be preallocated, and what is preallocated is a reserve. `full`: nothing can be
 * written.
 */
export type DiskSpace = "free" | "low" | "full";

/** Who leads, as far as this node knows. */
export type Leadership = {
  readonly kind: "leadership";
  /** `following` and `leading` only once the epoch's barrier is committed and known here. */
  readonly role: "looking" | "establishing" | "following" | "leading";
  /** That of `leader`; while it looks for one, the latest epoch that it has promised to a candidate. 0: there was none yet. */
  readonly epoch: Epoch;
  /** Who leads, or is about to: with `establishing` it may also be this node, or none in the end. Undefined while it looks for one. */
  readonly leader: ServerId | undefined;
  /** What clients of this node may write: what the leader says, or less if this node's own disk or memory is full. */
  readonly admission: WriteAdmission;
};

/** The value before a leader is known. */
export const NO_LEADERSHIP: Leadership = {
  kind: "leadership",
  role: "looking",
  epoch: EPOCH_NONE,
  leader: undefined,
  admission: "all",
};
