/** How the trees of all lanes load a snapshot: at the start of a node, and when a leader's snapshot was installed. */
import { assert } from "../../../protocol/assert.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import type { TreeLoaded } from "../../tree/messages.ts";
import { deliver } from "../delivery.ts";
import { settleThrough } from "../ensemble/membership.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { type LogSyncTurn } from "../state.ts";
import { log } from "../effects.ts";
import { SubmitterTable } from "../submitters.ts";

/** Has every lane load the snapshot. What it contains is committed, so the commit mark and the delivery advance to its zxid. */
export function loadLanes(turn: LogSyncTurn, snapshot: SnapshotIdentity): void {
  const { state } = turn;
  const { zxid } = snapshot;
  assert(zxid > state.delivery.committed, "I7: a commit mark never goes back");
  assert(state.log.index.holds(zxid), "I8: the log goes on from its snapshot");
  state.snapshots.newest = snapshot;
  state.delivery.committed = zxid;
  state.delivery.delivered = zxid;
  settleThrough(turn, zxid);
  for (let lane = 1; lane <= state.options.lanes; lane += 1) {
    state.delivery.lanesLoading.add(lane);
    turn.effects.push(tell(`tree/${lane}`, { kind: "loadSnapshot", zxid }));
  }
}

/** A lane has loaded the snapshot. When all lanes have, delivery goes on with the records after it. */
export function treeLoaded(turn: LogSyncTurn, message: TreeLoaded): void {
  const { state } = turn;
  // The report is about a snapshot that a newer one has replaced.
  if (
    message.zxid !== state.delivery.delivered ||
    !state.delivery.lanesLoading.delete(message.lane)
  )
    return;
  if (state.delivery.lanesLoading.size > 0) return;
  state.delivery.submitters = SubmitterTable.of(message.submitters);
  log(turn, "snapshotLoaded", { zxid: formatZxid(message.zxid) });
  deliver(turn);
}
