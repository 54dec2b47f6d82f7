/** What a leader commits, and from when on it takes batches. */
import type { Zxid } from "../../protocol/zxid.ts";
import { committedBy } from "../quorum.ts";
import { commitThrough } from "./delivery.ts";
import { log } from "./effects.ts";
import { publishSoon } from "./publish.ts";
import { emitLeadership, type Leading } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

/**
 * Commits what a quorum holds durably, this node's own disk counting as one, if it belongs to this epoch; everything
 * before it is then committed too (Ongaro, section 5.4.2).
 */
export function leaderCommit(turn: LogSyncTurn, role: Leading): void {
  const { quorum, log: view, delivery } = turn.state;
  const byQuorum = committedBy(durableZxids(turn.state, role), quorum);
  if (byQuorum < role.barrier) return;
  // Applied here only once it is durable here too.
  const through = Math.min(byQuorum, view.durable) as Zxid;
  if (through <= delivery.committed) return;
  forgetCommitted(role, through);
  commitThrough(turn, through);
  activate(turn, role);
  if (role.followers.size > 0) publishSoon(turn, role);
}

/** How far the log is durable with each voter that counts. */
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

/** Once the barrier is delivered everything before it is too, so the table of submitters is complete. */
export function activate(turn: LogSyncTurn, role: Leading): void {
  const { delivery } = turn.state;
  if (role.active || delivery.delivered < role.barrier) return;
  role.active = true;
  role.taken = delivery.submitters.copy();
  log(turn, "leading", { epoch: role.epoch });
  emitLeadership(turn);
}
