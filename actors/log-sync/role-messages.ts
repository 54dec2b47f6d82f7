/** What a node takes according to its role. Each role's file handles every kind, or names it as ignored. */
import type { PeerSender } from "../../runtime/transport.ts";
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { ServerId } from "../../protocol/ids.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { LogSyncMessage, LogSyncPeerMessage, SubmitMessage } from "./messages.ts";
import type { SnapshotChunk } from "../log/messages.ts";

/** Of another node that belongs to the ensemble. */
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
      | "deposed";
  }
>;

export type Peer = { readonly id: ServerId; readonly sender: PeerSender };

/** Of this node. */
export type RoleMessage =
  | Extract<LogSyncMessage, { kind: "elected" | "leaderLost" | "propose" }>
  /** Of a lane of this node. */
  | SubmitMessage
  | TimerMessage<"announce" | "ask" | "establish">
  | EndOfTurn
  /** More of the log is durable. */
  | { readonly kind: "moreDurable" }
  | { readonly kind: "truncated" }
  /** The promise of an epoch that this node wants to lead, or whose leader it has heard. */
  | { readonly kind: "promiseDurable" }
  /** The trees have been given more. */
  | { readonly kind: "moreDelivered" }
  /** Read from the log for a follower. */
  | {
      readonly kind: "recordsRead";
      readonly to: ServerId;
      readonly after: Zxid;
      readonly records: readonly Uint8Array[];
    }
  /** Of this node's snapshot, for a follower. */
  | (SnapshotChunk & { readonly to: ServerId })
  /** What was not durable is gone from the log. */
  | { readonly kind: "diskFull" }
  /** `wasFull`: else it was only low. */
  | { readonly kind: "diskFreed"; readonly wasFull: boolean }
  | { readonly kind: "diskLow" }
  | { readonly kind: "memoryChanged" }
  | { readonly kind: "voteRegained" };
