/**
 * A leader's check that a voter still holds what it has acknowledged. A process cannot forget, but the next one on the same folder
 * can: an old copy of the folder was put back, or the disk lost what it had said was durable. So what is counted of a folder is
 * of one process; what earlier ones acknowledged in this epoch is owed by it. A follower that holds the leader's log up to what it
 * owes and goes by this epoch never cuts that off again: if its log ends before that, it has forgotten.
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { type LogSyncTurn } from "../state.ts";
import type { FollowerIncarnation } from "../progress.ts";
import { log } from "../effects.ts";
import { sendTo } from "../effects.ts";
import type { Leading } from "../roles.ts";

/** A voter's process is heard. The gate lets no earlier one of the same folder in again. */
export function noteIncarnation(role: Leading, from: ServerId, sender: PeerSender): void {
  const follower = role.followers.get(from);
  if (follower === undefined || follower.incarnation.nonce === sender.nonce) return;
  const { identity, accepted, incarnation: before } = follower;
  const { nonce, incarnation: number } = sender;
  const isSame = identity === undefined || identity === sender.identity;
  const owed = isSame && before.owed > accepted ? before.owed : isSame ? accepted : ZXID_NONE;
  const hasForgotten = isSame && before.hasForgotten;
  follower.incarnation = { nonce, number, owed, hasForgotten };
  follower.accepted = ZXID_NONE;
}

/** A voter says in this leader's epoch where its durable log ends. */
export function checkMemory(turn: LogSyncTurn, role: Leading, from: ServerId, durable: Zxid): void {
  const follower = role.followers.get(from);
  if (follower === undefined || durable >= follower.incarnation.owed) return;
  const { incarnation } = follower;
  if (!incarnation.hasForgotten) {
    log(turn, "voterForgotAcknowledged", {
      node: from,
      acknowledged: formatZxid(incarnation.owed),
      durable: formatZxid(durable),
    });
  }
  incarnation.hasForgotten = true;
  follower.accepted = ZXID_NONE;
  tellForgotten(turn, role, from, incarnation);
}

/** Its word is no word until it says that it has no vote: from then on it counts as one that is being repaired. */
export function isForgetful(
  turn: LogSyncTurn,
  role: Leading,
  from: ServerId,
  votes: boolean,
): boolean {
  const incarnation = role.followers.get(from)?.incarnation;
  if (incarnation === undefined) return false;
  if (!votes) {
    incarnation.hasForgotten = false;
    incarnation.owed = ZXID_NONE;
  }
  if (incarnation.hasForgotten) tellForgotten(turn, role, from, incarnation);
  return incarnation.hasForgotten;
}

function tellForgotten(
  turn: LogSyncTurn,
  role: Leading,
  to: ServerId,
  { number: incarnation, owed }: FollowerIncarnation,
): void {
  const { state } = turn;
  const folder = state.membership.counted.get(to);
  if (folder === undefined) return;
  sendTo(turn, to, { kind: "forgotten", folder, incarnation, epoch: role.epoch, zxid: owed });
}
