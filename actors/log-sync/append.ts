/**
 * How a node takes a leader's append, whatever its role is. It takes records only where they continue a log that equals the leader's, and
 * truncates what conflicts. Raft's AppendEntries (Raft, section 5.3), with `prevZxid` for prevLogTerm and prevLogIndex.
 */
import { assert } from "../../protocol/assert.ts";
import {
  recordFault,
  type RecordFault,
  recordHeader,
  verifyRecord,
} from "../../protocol/record.ts";
import { formatZxid, laterOf, type Zxid } from "../../protocol/zxid.ts";
import type { PeerSender } from "../../runtime/transport.ts";
import { tell } from "../inboxes.ts";
import { broadcast, contradicts, log, sendTo } from "./effects.ts";
import { greetingOf } from "./ensemble/founding.ts";
import { cutAfter, foreignFault, noteRecord } from "./ensemble/membership.ts";
import { followCommit, sendBehind, sendAccepted } from "./acknowledge.ts";
import { noteAsks } from "./counting.ts";
import { follow } from "./follower.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import type { Peer } from "./role-messages.ts";
import { emitLeadership, type Following, lookAgain, startEstablishing } from "./roles.ts";
import type { LogSyncTurn } from "./state.ts";
import { persistPromise, promisedEpoch } from "./voter.ts";

/** Milliseconds for which the heartbeat actor is not told again that an append has come. */
const HEARD_INTERVAL_MS = 100;

type Append = Extract<LogSyncPeerMessage, { kind: "append" }>;

export function receiveAppend(
  turn: LogSyncTurn,
  { id: from, sender }: Peer,
  message: Append,
): void {
  const { state, effects } = turn;
  const { promises, log: view, space } = state;
  if (message.epoch < promisedEpoch(state)) {
    sendTo(turn, from, { kind: "deposed", promise: promises.underWay ?? promises.durable });
    return;
  }
  if (message.epoch > promises.durable.epoch) {
    acceptHigherEpoch(turn, sender, message);
    return;
  }
  const role = followingOf(turn, sender, message);
  if (role === undefined) return;
  tellHeard(turn, role);
  role.leaderCommitted = laterOf(role.leaderCommitted, message.committed);
  noteAsks(role, sender, message);
  if (message.admission !== role.admission) {
    role.admission = message.admission;
    emitLeadership(turn);
  }
  // While a truncation is under way the append is dropped. The leader's next announcement shows what was missed.
  if (view.truncating) return;
  if (space.disk === "full") {
    sendAccepted(turn, role);
    return;
  }
  if (!view.index.holds(message.prevZxid)) {
    sendBehind(turn, role, view.index.floor(message.prevZxid));
    return;
  }
  const fresh = takeRecords(turn, role, message);
  if (fresh === undefined) return;
  if (fresh.length > 0) effects.push(tell("log", { kind: "append", records: fresh }));
  else if (!view.truncating) sendAccepted(turn, role);
  followCommit(turn, role);
}

/** An append shows that the leader lives, like the answer to a ping. Told now and then, since one append may follow the other. */
function tellHeard({ effects, nowMs }: LogSyncTurn, role: Following): void {
  if (nowMs - role.heardMs < HEARD_INTERVAL_MS) return;
  role.heardMs = nowMs;
  const { leader, epoch } = role;
  effects.push(tell("heartbeat", { kind: "heard", leader, epoch }));
}

/** The leader of a higher epoch has the promises of a quorum. This node's own must be durable before it takes anything from it. */
function acceptHigherEpoch(turn: LogSyncTurn, sender: PeerSender, message: Append): void {
  const { epoch, leader } = message;
  if (promisedEpoch(turn.state) === epoch) return;
  followSender(turn, sender, message);
  // The node may have awaited this leader for a while, but the epoch is news.
  startEstablishing(turn);
  persistPromise(turn, { epoch, candidate: leader }, undefined);
}

/** The role that follows this leader. Undefined: this node leads the epoch itself, which contradicts I1 (one leader in an epoch). */
function followingOf(
  turn: LogSyncTurn,
  sender: PeerSender,
  message: Append,
): Following | undefined {
  const { epoch, leader } = message;
  const { role } = turn.state;
  if (role.kind === "following" && role.leader === leader && role.epoch === epoch) return role;
  if (role.kind === "leading" && role.epoch === epoch) {
    contradicts(turn, leader, `it says that it leads epoch ${epoch}, too`);
    return undefined;
  }
  return followSender(turn, sender, message);
}

/**
 * A leader that counts for nothing here shows that this node's configuration may be an old one. All are asked for theirs: the log may
 * not teach it, if this folder is an old copy whose messages the leader refuses.
 */
function followSender(turn: LogSyncTurn, sender: PeerSender, { leader, epoch }: Append): Following {
  if (!sender.isVoter) {
    broadcast(turn, greetingOf(turn.state, { asks: true, nowMs: turn.nowMs }));
  }
  return follow(turn, leader, epoch);
}

const FAULTS: Readonly<Record<RecordFault, string>> = {
  incomplete: "it is cut short",
  empty: "it is empty",
  badLength: "no record has its length",
  badChecksum: "its checksum is wrong",
  badVersion:
    "a later version of zooid leads, and this node would apply it otherwise: update this node",
};

/**
 * Puts the records that this log does not have into the index, and returns them. At a conflict it starts a truncation instead. Undefined:
 * the truncation would remove what is committed, which I7 forbids, so this node has left the leader.
 */
function takeRecords(
  turn: LogSyncTurn,
  role: Following,
  { prevZxid: from, records, epoch, leader }: Append,
): Uint8Array[] | undefined {
  const { state } = turn;
  const { log: view, delivery } = state;
  const fresh: Uint8Array[] = [];
  let after = from;
  for (const received of records) {
    const verdict = verifyRecord(received, 0, state.options.crc32);
    if (!("length" in verdict) || verdict.length !== received.length) {
      const reason = "fault" in verdict ? FAULTS[verdict.fault] : "its length is wrong";
      log(turn, "recordRefused", { from: leader, after: formatZxid(after), reason });
      break;
    }
    const fault = recordFault(received, epoch) ?? foreignFault(state, received);
    if (fault !== undefined) {
      contradicts(turn, leader, `a record after ${formatZxid(after)}: ${fault}`);
      break;
    }
    const { prevZxid, lastZxid } = recordHeader(received);
    if (prevZxid !== after) {
      log(turn, "recordsNotContiguous", { after: formatZxid(after) });
      break;
    }
    if (!view.index.holds(lastZxid)) {
      if (view.index.tail > after && after < delivery.committed) {
        const place = formatZxid(after);
        contradicts(turn, leader, `its log parts at ${place}, before what is committed`);
        lookAgain(turn, "its leader contradicts what is committed");
        return undefined;
      }
      if (view.index.tail > after) {
        assert(fresh.length === 0, "a conflict comes before what is new");
        truncate(turn, after);
        break;
      }
      fresh.push(takeRecord(turn, received));
    }
    after = lastZxid;
  }
  if (!view.truncating) role.matched = laterOf(role.matched, after);
  return fresh;
}

function takeRecord(turn: LogSyncTurn, received: Uint8Array): Uint8Array {
  const { log: view } = turn.state;
  // The record stays in memory, so it is copied: a view would keep the whole message there.
  const record = new Uint8Array(received);
  const { lastZxid, timeMs } = recordHeader(record);
  view.index.push(lastZxid);
  view.recent.add(lastZxid, record);
  noteRecord(turn, record);
  view.lastTimeMs = Math.max(view.lastTimeMs, timeMs);
  return record;
}

function truncate(turn: LogSyncTurn, after: Zxid): void {
  const { log: view, delivery } = turn.state;
  assert(after >= delivery.committed, "I7: nothing that is committed is truncated");
  log(turn, "truncating", { after: formatZxid(after), from: formatZxid(view.index.tail) });
  view.truncating = true;
  cutAfter(turn, after);
  turn.effects.push(tell("log", { kind: "truncate", after }));
}
