/** The messages of the submitter of a lane, which makes batches of the lane's writes and brings each to the log exactly once. */
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { Who } from "../../protocol/identities.ts";
import type { Operation, OperationResult } from "../../protocol/operations.ts";
import type { ZnodeRead } from "../../protocol/reads.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { SubmitRefused } from "../log-sync/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type SubmitterTimer = "repeat";

/** Reads that stand behind the first `after` operations of a message, and behind all that the connection has sent before. */
export type Travelling = {
  readonly after: number;
  /** Default ANYONE. */
  readonly who?: Who;
  readonly reads: readonly ZnodeRead[];
};

export type SubmitterMessage =
  /**
   * From a gateway: writes of one client connection, in order. Their results go to the actor `from` in `written` messages, in the same
   * order. `client` is the gateway's own number of the connection. `travelling`: reads of the connection that the tree is to answer
   * when their place among its writes is applied, with a `readDone` for each place.
   */
  | {
      readonly kind: "write";
      readonly from: GatewayName;
      readonly client: number;
      readonly operations: readonly Operation[];
      readonly travelling?: readonly Travelling[];
    }
  /** From a gateway: the connection has ended. The tree is told behind the reads that were passed on for it. */
  | { readonly kind: "forget"; readonly from: GatewayName; readonly client: number }
  /** From this lane's tree: the results of a batch of this lane. The operation at index i has the zxid `firstZxid + i`. */
  | {
      readonly kind: "applied";
      readonly incarnation: number;
      readonly seq: number;
      readonly firstZxid: Zxid;
      readonly results: readonly OperationResult[];
    }
  /**
   * From this lane's tree: a snapshot has replaced the tree's state. It contains the effects of the batches up to `seq`, but not their
   * results. The gateways close the connections that waited for those.
   */
  | { readonly kind: "overtaken"; readonly incarnation: number; readonly seq: number }
  /** From log-sync, once, when the node has recovered: how often its folder has been started. */
  | { readonly kind: "incarnation"; readonly incarnation: number }
  | Leadership
  | SubmitRefused
  | TimerMessage<SubmitterTimer>
  | EndOfTurn;

/** To the gateway that wrote: the results of the oldest unanswered writes of this connection, in order. */
export type Written = {
  readonly kind: "written";
  readonly client: number;
  /** `zxids[i]` is the zxid of `results[i]`. */
  readonly zxids: readonly Zxid[];
  readonly results: readonly OperationResult[];
};
