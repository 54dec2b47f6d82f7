/**
 * A leader's check that a voter still holds what it has acknowledged. A process cannot forget that, but the next process on the same
 * folder can: an old copy of the folder was put back, or the disk lost what it had reported durable. So acknowledgements count only for
 * the process that sent them, and what earlier processes on its folder acknowledged in this epoch is owed by it. A follower that has
 * the leader's log up to what it owes never removes that again in this epoch. So if its log ends before that, it has forgotten.
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { type LogSyncTurn } from "../state.ts";
import type { FollowerIncarnation } from "../progress.ts";
import { log, sendTo } from "../effects.ts";
import type { Leading } from "../roles.ts";

/** Notes from which process of a voter a message comes. The gate lets no message of an earlier process of the folder in again. */
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

/** A voter has reported, in this leader's epoch, where its durable log ends: checks that it still holds what it owes. */
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
  sendForgotten(turn, role, from, incarnation);
}

/**
 * Whether acknowledgements of this voter do not count because it has forgotten earlier ones. When it reports that it has no vote, it is
 * being repaired (`repair.ts`), and owes nothing any more.
 */
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
  if (incarnation.hasForgotten) sendForgotten(turn, role, from, incarnation);
  return incarnation.hasForgotten;
}

function sendForgotten(
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
