/**
 * Checks which folders and processes a leader counts: a quorum is a majority of the numbers, and only the folder that is bound to a number
 * counts for it, by its last process. The check counts again, from the messages that each leader has received.
 */
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import type { LogSyncState } from "../../../actors/log-sync/state.ts";
import type { Follower } from "../../../actors/log-sync/progress.ts";
import { identityOf } from "../../../protocol/configuration.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { PeerSender } from "../../../runtime/transport.ts";
import { must } from "./violation.ts";

type Heard = {
  /** By number, the process of a voter that was started last. */
  readonly processes: Map<number, PeerSender>;
  /** While this node leads `epoch`: what it has counted for each folder, and the processes that reported that they hold less. */
  epoch: number;
  readonly counted: Map<Identity, { readonly zxid: Zxid; readonly incarnation: number }>;
  readonly forgetful: Set<Identity>;
  /** What the last process of each folder has acknowledged by itself. */
  readonly said: Map<Identity, { readonly nonce: number; readonly zxid: Zxid }>;
  committed: Zxid;
};

const NOTHING = { zxid: ZXID_NONE, incarnation: 0 };

export class Folders {
  /** What one incarnation of a node has received. */
  readonly #heard = new WeakMap<LogSyncState, Heard>();

  /** After every step of log-sync. */
  saw(node: number, message: LogSyncMessage, state: LogSyncState): void {
    const heard = this.#heardOf(state);
    const { role } = state;
    if (role.kind === "leading" && heard.epoch !== role.epoch) {
      heard.epoch = role.epoch;
      heard.counted.clear();
      heard.forgetful.clear();
      heard.said.clear();
    }
    if (message.kind === "received" && message.sender.isVoter) {
      checkProcess(node, heard, message.from, message.sender);
      if (role.kind === "leading") checkMemory(node, heard, message, role.followers);
    }
    if (role.kind === "leading" && state.delivery.committed > heard.committed) {
      checkQuorum(node, state, role.followers);
    }
    heard.committed = state.delivery.committed;
  }

  #heardOf(state: LogSyncState): Heard {
    let heard = this.#heard.get(state);
    if (heard === undefined) {
      const {
        delivery: { committed },
      } = state;
      heard = {
        processes: new Map(),
        epoch: 0,
        counted: new Map(),
        forgetful: new Set(),
        said: new Map(),
        committed,
      };
      this.#heard.set(state, heard);
    }
    return heard;
  }
}

/** A node listens to the process of a folder that was started last, and never again to one that was started before it. */
function checkProcess(node: number, heard: Heard, from: number, sender: PeerSender): void {
  const known = heard.processes.get(from);
  heard.processes.set(from, sender);
  if (known === undefined || known.identity !== sender.identity) return;
  const isIn = known.nonce === sender.nonce || sender.incarnation > known.incarnation;
  must(isIn, "one process a folder", () => {
    return `node ${node} hears start ${sender.incarnation} of the folder of node ${from}, and has heard start ${known.incarnation}`;
  });
}

type Received = Extract<LogSyncMessage, { readonly kind: "received" }>;

/** A process that does not hold what its folder was counted for is not counted until it says that it has no vote. */
function checkMemory(
  node: number,
  { counted, forgetful, said, epoch }: Heard,
  { from, sender, message }: Received,
  followers: ReadonlyMap<ServerId, Follower>,
): void {
  const { identity, incarnation } = sender;
  const { zxid: before, incarnation: by } = counted.get(identity) ?? NOTHING;
  // A late message of the process that acknowledged it is no sign of anything.
  const isLess = message.kind === "behind" && message.epoch === epoch && message.durable < before;
  if (isLess && incarnation > by) forgetful.add(identity);
  const accepted = followers.get(from as ServerId)?.accepted ?? ZXID_NONE;
  const { nonce } = sender;
  const earlier = said.get(identity);
  const own = earlier?.nonce === nonce ? earlier.zxid : ZXID_NONE;
  const isWord = message.kind === "accepted" && message.epoch === epoch && message.zxid > own;
  const zxid = isWord ? message.zxid : own;
  said.set(identity, { nonce, zxid });
  must(accepted <= zxid, "one process a folder", () => {
    return `leader ${node} counts ${formatZxid(accepted)} of a process of node ${from} that has acknowledged ${formatZxid(zxid)}`;
  });
  if (message.kind !== "accepted" || message.epoch !== epoch) return;
  if (!message.votes) {
    // From now on it counts as one that is being repaired: a late message about how little it held is no news.
    forgetful.delete(identity);
    counted.delete(identity);
  }
  must(accepted === ZXID_NONE || !forgetful.has(identity), "one process a folder", () => {
    return `leader ${node} counts ${formatZxid(accepted)} of node ${from}, which has forgotten ${formatZxid(before)}`;
  });
  if (accepted > before) counted.set(identity, { zxid: accepted, incarnation });
}

/** What the leader commits is acknowledged by a quorum of folders, none of which is about to lose its number. */
function checkQuorum(
  node: number,
  { membership, quorum, options, delivery: { committed }, log: { durable } }: LogSyncState,
  followers: ReadonlyMap<ServerId, Follower>,
): void {
  const { settled, logged, identity: own } = membership;
  if (settled === undefined) return;
  const all = [settled, ...logged.map(({ configuration }) => configuration)];
  const isBound = (id: ServerId, identity: Identity | undefined): boolean =>
    all.every((each) => identityOf(each, id) === identity);
  const by = [...followers].filter(
    ([id, { identity, accepted }]) => accepted >= committed && isBound(id, identity),
  );
  const ownFolder = durable >= committed && isBound(options.server, own) ? 1 : 0;
  must(by.length + ownFolder >= quorum, "one process a folder", () => {
    return `leader ${node} commits ${formatZxid(committed)} counted by ${by.length + ownFolder} folders`;
  });
}
