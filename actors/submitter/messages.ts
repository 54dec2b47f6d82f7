/** The submitter of a lane: makes batches of its clients' writes and brings each to the log exactly once. */
import type { EndOfTurn, TimerMessage } from "../../runtime/effects.ts";
import type { Operation, OperationResult } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { SubmitRefused } from "../log-sync/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";

export type SubmitterTimer = "repeat";

export type SubmitterMessage =
  /**
   * Writes of one client connection, in order. Each is answered, in order, within a `written` to the actor `from`.
   * `client` is that actor's own number for the connection.
   */
  | {
      readonly kind: "write";
      readonly from: GatewayName;
      readonly client: number;
      readonly operations: readonly Operation[];
    }
  /** From this lane's tree: the results of a batch of this lane. Operation i has zxid firstZxid + i. */
  | {
      readonly kind: "applied";
      readonly incarnation: number;
      readonly seq: number;
      readonly firstZxid: Zxid;
      readonly results: readonly OperationResult[];
    }
  /**
   * From this lane's tree: a snapshot has taken the place of its state and holds the batches up to `seq`. Their results are
   * known to nobody, and the connections that waited for them are closed.
   */
  | { readonly kind: "overtaken"; readonly incarnation: number; readonly seq: number }
  /** From log-sync, once at the start of the node. */
  | { readonly kind: "incarnation"; readonly incarnation: number }
  | Leadership
  | SubmitRefused
  | TimerMessage<SubmitterTimer>
  | EndOfTurn;

/** To the actor that wrote: results of the oldest unanswered writes of that client, in order. */
export type Written = {
  readonly kind: "written";
  readonly client: number;
  /** `zxids[i]` is the zxid of `results[i]`. */
  readonly zxids: readonly Zxid[];
  readonly results: readonly OperationResult[];
};
