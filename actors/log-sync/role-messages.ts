/** The messages that a node handles according to its role. The file of each role names every kind, also those that the role ignores. */
import type { PeerSender } from "../../runtime/transport.ts";
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { LogSyncMessage, LogSyncPeerMessage, SubmitMessage } from "./messages.ts";
import type { SnapshotChunk } from "../log/messages.ts";

/** A message of another node that belongs to the ensemble. */
export type RolePeerMessage = Extract<
  LogSyncPeerMessage,
  {
    kind:
      | "accepted"
      | "behind"
      | "submit"
      | "askChunk"
      | "promiseReply"
      | "snapshotOffer"
      | "snapshotChunk"
      | "forgotten"
      | "submitRefused"
      | "deposed"
      | "takeOver"
      | "takeOverDeclined";
  }
>;

export type Peer = { readonly id: ServerId; readonly sender: PeerSender };

/** A message of an actor of this node, or an event that log-sync has derived from one. */
export type RoleMessage =
  | Extract<LogSyncMessage, { kind: "elected" | "leaderLost" | "propose" }>
  /** A batch of a lane of this node. */
  | SubmitMessage
  | TimerMessage<"announce" | "mark" | "hold" | "ask" | "establish">
  | EndOfTurn
  /** More of this node's log is durable. */
  | { readonly kind: "moreDurable" }
  /** The truncation that was under way is done. */
  | { readonly kind: "truncated" }
  /** A promise is durable that no candidate asked for: of an epoch that this node wants to lead, or whose leader it has received. */
  | { readonly kind: "promiseDurable" }
  /** More records or a snapshot were delivered to the trees. */
  | { readonly kind: "moreDelivered" }
  /** The log has read the records that a follower missed. */
  | {
      readonly kind: "recordsRead";
      readonly to: ServerId;
      readonly after: Zxid;
      readonly records: readonly Uint8Array[];
    }
  /** The log has read a chunk of this node's snapshot, which a follower asked for. */
  | (SnapshotChunk & { readonly to: ServerId })
  /** The disk is full, and the log has dropped the records that were not durable. */
  | { readonly kind: "diskFull" }
  /** The disk has space again. `wasFull` is false if the space was only low. */
  | { readonly kind: "diskFreed"; readonly wasFull: boolean }
  | { readonly kind: "diskLow" }
  /** `space.treeFull` has changed. */
  | { readonly kind: "memoryChanged" }
  /** This node votes again: its repair has ended. */
  | { readonly kind: "voteRegained" };
