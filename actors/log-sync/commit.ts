/** What a leader commits, and when it begins to take batches. */
import type { Zxid } from "../../protocol/zxid.ts";
import { committedBy } from "../quorum.ts";
import { markMoved } from "./mark.ts";
import { publishSoon } from "./publish.ts";
import { commitThrough } from "./delivery.ts";
import { log } from "./effects.ts";
import { emitLeadership, type Leading } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

/**
 * Commits the last record that a quorum has durably, this node's own disk among them, if the record belongs to this epoch. Everything
 * before it is then committed too. A record of an earlier epoch is never committed by counting (Raft, section 5.4.2).
 */
export function leaderCommit(turn: LogSyncTurn, role: Leading): void {
  const { quorum, log: view, delivery } = turn.state;
  const byQuorum = committedBy(durableZxids(turn.state, role), quorum);
  if (byQuorum < role.barrier) return;
  // A record is applied on this node only when it is durable on this node too.
  const through = Math.min(byQuorum, view.durable) as Zxid;
  if (through <= delivery.committed) return;
  forgetCommitted(role, through);
  commitThrough(turn, through);
  activate(turn, role);
  if (role.followers.size > 0) markMoved(turn, role);
  if (role.outbox.length > 0) publishSoon(turn, role);
}

/** The end of the durable log of each voter that counts. */
function durableZxids({ options, membership, log: view }: LogSyncState, role: Leading): Zxid[] {
  const { counted, identity: own } = membership;
  const durable = counted.get(options.server) === own ? [view.durable] : [];
  for (const [id, { identity, accepted }] of role.followers) {
    if (identity !== undefined && counted.get(id) === identity) durable.push(accepted);
  }
  return durable;
}

function forgetCommitted(role: Leading, through: Zxid): void {
  const { uncommitted } = role;
  let count = 0;
  for (const { lastZxid, bytes } of uncommitted) {
    if (lastZxid > through) break;
    role.uncommittedBytes -= bytes;
    count += 1;
  }
  uncommitted.splice(0, count);
}

/** Begins to take batches when the barrier is delivered: everything before it is delivered then, so the table of submitters is complete. */
export function activate(turn: LogSyncTurn, role: Leading): void {
  const { delivery } = turn.state;
  if (role.active || delivery.delivered < role.barrier) return;
  role.active = true;
  role.taken = delivery.submitters.copy();
  log(turn, "leading", { epoch: role.epoch });
  emitLeadership(turn);
}
