/**
 * I5, before the commit: what a leader counts of another node is in its own log and durable there, and it counts nothing of a node
 * that says that it has no vote.
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

  /** `nonceOf`: of the node's last process; undefined if that has not spoken yet. */
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
    // Another folder with its number says nothing about the one that is counted.
    const isOf = told.epoch === role.epoch && follower.identity === message.sender.identity;
    must(told.votes || !isOf, "I5 acknowledged is durable", () => {
      return `${what()}, which has no vote`;
    });
    must(holds(state, accepted), "I5 acknowledged is durable", () => {
      return `${what()}, and does not hold it`;
    });
    const { state: other } = log;
    // One that has lost something is being repaired; one that goes by a later leader may give it up.
    if (other === undefined || log.damaged || other.promises.durable.epoch !== role.epoch) return;
    // Nothing was heard yet of its present process; one on an old copy of the folder may have been started as often.
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
