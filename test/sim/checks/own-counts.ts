/**
 * Checks what followers commit by their own count, against a count that is made here of the messages that they were sent. And what a
 * leader says of itself and of others when it asks for that: its own disk has what it says, and nobody is named who does not count.
 */
import type {
  Asks,
  LogSyncMessage,
  LogSyncPeerMessage,
} from "../../../actors/log-sync/messages.ts";
import type { Following, Role } from "../../../actors/log-sync/roles.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { formatZxid, laterOf, type Zxid, ZXID_NONE, zxidOf } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { must } from "./violation.ts";

type Append = Extract<LogSyncPeerMessage, { kind: "append" }>;
type Accepted = Extract<LogSyncPeerMessage, { kind: "accepted" }>;
type Received = Extract<LogSyncMessage, { kind: "received" }>;

/** What a node was sent since it began to follow one leader in one epoch. */
type Told = {
  marked: Zxid;
  asks: { readonly sender: PeerSender; readonly asks: Asks } | undefined;
  /** The zxid before the last records of the leader. */
  after: Zxid;
  /** By number and folder: the process heard last, and what it has accepted with a vote. Two folders may speak under one number. */
  readonly accepted: Map<string, Said>;
  committed: Zxid;
};

type Said = { readonly from: number; readonly sender: PeerSender; readonly zxid: Zxid };

function folderOf(from: number, { identity }: PeerSender): string {
  return `${from} ${identity}`;
}

export class OwnCounts {
  readonly #told = new WeakMap<Following, Told>();
  /** What a leader was sent, by role. */
  readonly #acceptedBy = new WeakMap<Role, Map<number, number>>();

  /** After every step of log-sync. */
  saw(
    node: number,
    message: LogSyncMessage,
    state: LogSyncState,
    effects: readonly Effect[],
  ): void {
    const { role } = state;
    if (role.kind === "leading") this.#leads(node, message, state, effects);
    if (role.kind === "following") this.#follows(node, message, state, role);
  }

  #follows(node: number, message: LogSyncMessage, state: LogSyncState, role: Following): void {
    const told = this.#told.get(role) ?? {
      ...{ marked: ZXID_NONE, asks: undefined, after: ZXID_NONE, accepted: new Map() },
      committed: state.delivery.committed,
    };
    if (!this.#told.has(role)) this.#told.set(role, told);
    if (message.kind === "received") noteReceived(told, message, { state, role });
    for (const [from, { sender, zxid }] of role.count.accepted) {
      const said = told.accepted.get(folderOf(from, sender));
      const isSaid = said?.sender.nonce === sender.nonce && said.zxid >= zxid;
      must(isSaid, "I5 acknowledged is durable", () => {
        return `node ${node} counts ${formatZxid(zxid)} of node ${from} in epoch ${role.epoch}, which has not told it so`;
      });
    }
    const { committed } = state.delivery;
    const before = told.committed;
    told.committed = committed;
    // What a snapshot holds is committed.
    if (committed === before || committed <= told.marked || message.kind === "installed") return;
    must(told.marked >= zxidOf(role.epoch, 0), "I3 committed stays", () => {
      return `node ${node} counts ${formatZxid(committed)} before it is told that the barrier of epoch ${role.epoch} is committed`;
    });
    const counted = countOf(told, state, role, committed);
    must(counted.length >= state.quorum, "I5 acknowledged is durable", () => {
      return `node ${node} commits ${formatZxid(committed)} by its own count, and may count only ${counted.join(", ") || "nobody"}`;
    });
  }

  #leads(
    node: number,
    message: LogSyncMessage,
    state: LogSyncState,
    effects: readonly Effect[],
  ): void {
    const accepted = this.#acceptedBy.get(state.role) ?? new Map<number, number>();
    if (!this.#acceptedBy.has(state.role)) this.#acceptedBy.set(state.role, accepted);
    if (message.kind === "received") noteProcess(accepted, message, state);
    for (const effect of effects) {
      if (effect.kind !== "broadcast" && effect.kind !== "send") continue;
      const { asks } = effect.message as Partial<Append>;
      if (effect.actor !== "log-sync" || asks === undefined || typeof asks !== "object") continue;
      must(asks.durable <= state.log.durable, "I5 acknowledged is durable", () => {
        return `leader ${node} says that it has ${formatZxid(asks.durable)} on its disk, which has ${formatZxid(state.log.durable)}`;
      });
      const named = new Set(accepted.values());
      const stranger = asks.counted.find((nonce) => !named.has(nonce));
      must(stranger === undefined, "I5 acknowledged is durable", () => {
        return `leader ${node} names process ${stranger}, of which it counts nothing`;
      });
    }
  }
}

/** Keeps the processes that have accepted something, with a vote, and have been heard last under their number. */
function noteProcess(
  processes: Map<number, number>,
  { from, sender, message }: Received,
  state: LogSyncState,
): void {
  const { role } = state;
  if (role.kind !== "leading") return;
  const isCounted = state.membership.counted.get(from as ServerId) === sender.identity;
  if (isCounted && processes.get(from) !== sender.nonce) processes.delete(from);
  if (!isCounted || message.kind !== "accepted" || message.epoch !== role.epoch) return;
  const isForgetful = role.followers.get(from as ServerId)?.incarnation.hasForgotten === true;
  if (!message.votes || isForgetful) processes.delete(from);
  else processes.set(from, sender.nonce);
}

function noteReceived(
  told: Told,
  { from, sender, message }: Received,
  { state, role }: { readonly state: LogSyncState; readonly role: Following },
): void {
  const folder = folderOf(from, sender);
  if (told.accepted.get(folder)?.sender.nonce !== sender.nonce) told.accepted.delete(folder);
  // Appends that come before the node's own promise is durable are not taken.
  const isPromised = state.promises.durable.epoch >= role.epoch;
  if (message.kind === "append" && from === role.leader && isPromised) {
    noteAppend(told, sender, message, role);
  }
  if (message.kind === "accepted" && from !== role.leader) {
    noteAccepted(told, { from, sender }, message, role);
  }
}

function noteAppend(told: Told, sender: PeerSender, message: Append, role: Following): void {
  if (message.epoch !== role.epoch) return;
  told.marked = Math.max(told.marked, message.committed) as Zxid;
  const { prevZxid, records, asks } = message;
  if (records.length === 0 || prevZxid <= told.after) return;
  told.after = prevZxid;
  told.asks = asks === undefined ? undefined : { sender, asks };
}

function noteAccepted(
  told: Told,
  { from, sender }: { readonly from: number; readonly sender: PeerSender },
  { epoch, zxid, votes }: Accepted,
  role: Following,
): void {
  if (epoch !== role.epoch) return;
  const folder = folderOf(from, sender);
  if (!votes) {
    told.accepted.delete(folder);
    return;
  }
  const before = told.accepted.get(folder)?.zxid ?? ZXID_NONE;
  told.accepted.set(folder, { from, sender, zxid: laterOf(before, zxid) });
}

/** The numbers that may be counted for this zxid. */
function countOf(told: Told, state: LogSyncState, role: Following, zxid: Zxid): number[] {
  const { asks } = told;
  if (asks === undefined) return [];
  const { membership, options, log, repair } = state;
  const counts = new Set<number>();
  const isBound = (id: number, identity: string): boolean =>
    membership.counted.get(id as ServerId) === identity;
  const names = new Set(asks.asks.counted);
  const holdsIt = log.durable >= zxid && role.matched >= zxid;
  if (holdsIt && repair === undefined && isBound(options.server, membership.identity)) {
    if (names.has(options.nonce)) counts.add(options.server);
  }
  if (asks.asks.durable >= zxid && isBound(role.leader, asks.sender.identity)) {
    counts.add(role.leader);
  }
  for (const { from, sender, zxid: accepted } of told.accepted.values()) {
    const isNamed = isBound(from, sender.identity) && names.has(sender.nonce);
    if (accepted >= zxid && isNamed) counts.add(from);
  }
  return [...counts];
}
