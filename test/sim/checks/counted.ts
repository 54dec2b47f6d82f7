/**
 * Checks I5 before the commit: what a leader counts for another node is durable in the log of that node, and the leader counts nothing
 * for a node that reports that it has no vote.
 */
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { holds, type NodeLog } from "./invariants.ts";
import { must } from "./violation.ts";

export class Counted {
  readonly #logs: readonly NodeLog[];
  readonly #nonceOf: (node: number) => number | undefined;

  /** `nonceOf` returns the nonce of a node's last process; undefined if that has sent nothing yet. */
  constructor(logs: readonly NodeLog[], nonceOf: (node: number) => number | undefined) {
    this.#logs = logs;
    this.#nonceOf = nonceOf;
  }

  /** After every step of log-sync. */
  saw(node: number, message: LogSyncMessage, state: LogSyncState): void {
    const { role } = state;
    if (message.kind !== "received" || message.message.kind !== "accepted") return;
    if (role.kind !== "leading") return;
    const { from, message: told } = message;
    const log = this.#logs.find((each) => each.node === from);
    const follower = role.followers.get(from as ServerId);
    if (log === undefined || follower === undefined || follower.accepted === ZXID_NONE) return;
    const { accepted } = follower;
    const what = (): string => `leader ${node} counts ${formatZxid(accepted)} of node ${from}`;
    // A process with another folder than the one that the leader counts says nothing about that one.
    const isOf = told.epoch === role.epoch && follower.identity === message.sender.identity;
    must(told.votes || !isOf, "I5 acknowledged is durable", () => {
      return `${what()}, which has no vote`;
    });
    must(holds(state, accepted), "I5 acknowledged is durable", () => {
      return `${what()}, and does not hold it`;
    });
    const { state: other } = log;
    // A node without a vote is being repaired, and one that follows a later leader may truncate what it acknowledged to this one.
    if (other === undefined || log.damaged || other.promises.durable.epoch !== role.epoch) return;
    // The message must be of the node's current process: one on an old copy of the folder may have the same incarnation.
    if (message.sender.nonce !== this.#nonceOf(from)) return;
    must(
      other.log.durable >= accepted && holds(other, accepted),
      "I5 acknowledged is durable",
      () => {
        return `${what()}, which does not hold it`;
      },
    );
  }
}
