/** The follower's part of a handover: it stands for election when the leader that it follows tells it to, and in no other case. */
import { stand } from "../candidate.ts";
import { log, sendTo } from "../effects.ts";
import { isBound } from "../ensemble/membership.ts";
import type { Peer } from "../role-messages.ts";
import type { Following } from "../roles.ts";
import type { LogSyncState, LogSyncTurn } from "../state.ts";
import type { TakeOver, TakeOverDeclined } from "./messages.ts";

/**
 * The caller has seen that the message is of the leader that this node follows. One that comes late or twice finds a later epoch, a node
 * that is no follower any more, or a log that does not end there; if it finds all as it was, this node has all that its leader had and
 * may lead.
 */
export function receiveTakeOver(
  turn: LogSyncTurn,
  role: Following,
  { id, sender }: Peer,
  { epoch, folder, zxid }: TakeOver,
): void {
  const { state } = turn;
  if (epoch !== role.epoch || !sender.isVoter || folder !== state.membership.identity) return;
  const reason = reasonAgainst(state, role, zxid);
  if (reason !== undefined) {
    sendTo(turn, id, { kind: "takeOverDeclined", epoch, zxid, reason });
    return;
  }
  log(turn, "takingOver", { from: id, epoch });
  stand(turn);
}

function reasonAgainst(
  state: LogSyncState,
  role: Following,
  zxid: number,
): TakeOverDeclined["reason"] | undefined {
  const { log: view, repair, retiring, space } = state;
  if (retiring) return "stopping";
  if (repair !== undefined || !isBound(state)) return "unable";
  if (space.disk !== "free" || space.abstaining) return "unable";
  const hasAll = view.index.tail === zxid && view.durable === zxid && !view.truncating;
  return role.established && hasAll ? undefined : "behind";
}
