/**
 * How a follower commits by itself. While its leader asks for it, followers say to all what they have accepted, and each counts who has
 * a record durably. That is a fact, which the leader's commit mark would only repeat one message later. A follower counts whom the leader
 * counts, and whom it counts itself by the configurations in its own log. Why that is safe: docs/decisions/0023-counting.md.
 */
import type { ServerId } from "../../protocol/ids.ts";
import type { Identity } from "../../protocol/identity.ts";
import { earlierOf, laterOf, type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { committedBy } from "../quorum.ts";
import { broadcast, sendTo } from "./effects.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import type { Peer } from "./role-messages.ts";
import type { Following } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

type Accepted = Extract<LogSyncPeerMessage, { kind: "accepted" }>;
type Append = Extract<LogSyncPeerMessage, { kind: "append" }>;

/** What a follower knows of who has accepted what, of one leader in one epoch. */
export type FollowerCount = {
  /** What the leader said with its last records. Undefined: they did not ask, so this node counts nothing. */
  asks: Asked | undefined;
  /** The zxid before the records with which the leader said that. What it says with earlier ones is older. */
  after: Zxid;
  /** The end of what this node has said to all that it has accepted. */
  said: Zxid;
  /** Maps another follower's number to the process that has said last what it has accepted. */
  readonly accepted: Map<ServerId, { readonly sender: PeerSender; readonly zxid: Zxid }>;
};

type Asked = {
  /** The folder of the leader, and the end of its durable log. */
  readonly leader: Identity;
  readonly durable: Zxid;
  /** The nonces of the processes that the leader counts. */
  readonly counted: ReadonlySet<number>;
};

export function newFollowerCount(): FollowerCount {
  return { asks: undefined, after: ZXID_NONE, said: ZXID_NONE, accepted: new Map() };
}

/** With records a leader says whether followers are to count. What it says with records that later ones have overtaken is not news. */
export function noteAsks(
  { count }: Following,
  { identity: leader }: PeerSender,
  { asks, records, prevZxid }: Append,
): void {
  if (records.length === 0 || prevZxid <= count.after) return;
  count.after = prevZxid;
  count.asks =
    asks === undefined
      ? undefined
      : { leader, durable: asks.durable, counted: new Set(asks.counted) };
}

/** Says to the leader what this node has accepted. It says so to all, once, if the leader has asked for that. */
export function sayAccepted(
  turn: LogSyncTurn,
  { count, leader }: Following,
  accepted: Accepted,
): void {
  if (count.asks === undefined || accepted.zxid <= count.said) {
    sendTo(turn, leader, accepted);
    return;
  }
  count.said = accepted.zxid;
  broadcast(turn, accepted);
}

/** Must be called with every message: what one process has accepted is not counted for the next one on its folder. */
export function forgetEarlierProcess({ count }: Following, { id, sender }: Peer): void {
  const known = count.accepted.get(id)?.sender;
  if (known?.identity === sender.identity && known.nonce !== sender.nonce) {
    count.accepted.delete(id);
  }
}

/** Notes what another follower says that it has accepted. */
export function noteAccepted(
  { membership }: LogSyncState,
  role: Following,
  { id, sender }: Peer,
  { epoch, zxid, votes }: Accepted,
): void {
  const { accepted } = role.count;
  if (epoch !== role.epoch || id === role.leader) return;
  if (membership.counted.get(id) !== sender.identity) return;
  if (!votes) {
    accepted.delete(id);
    return;
  }
  const known = accepted.get(id);
  const isSame = known?.sender.nonce === sender.nonce;
  accepted.set(id, { sender, zxid: isSame ? laterOf(known.zxid, zxid) : zxid });
}

/**
 * Up to where this node knows by its own count that the leader's log is committed. It counts in an epoch only once the leader has said
 * that the barrier is committed: then what is counted is of the leader's epoch, and everything before it is committed (Raft, section
 * 5.4.2).
 */
export function countedThrough(state: LogSyncState, role: Following): Zxid {
  const { asks, accepted } = role.count;
  if (asks === undefined || !role.established) return ZXID_NONE;
  const { options, membership, repair, log: view, quorum } = state;
  const durable: Zxid[] = [];
  const isCounted = (id: ServerId, identity: Identity): boolean =>
    membership.counted.get(id) === identity;
  if (
    repair === undefined &&
    isCounted(options.server, membership.identity) &&
    asks.counted.has(options.nonce)
  ) {
    durable.push(earlierOf(view.durable, role.matched));
  }
  if (isCounted(role.leader, asks.leader)) durable.push(asks.durable);
  for (const [id, { sender, zxid }] of accepted) {
    if (isCounted(id, sender.identity) && asks.counted.has(sender.nonce)) durable.push(zxid);
  }
  return committedBy(durable, quorum);
}
