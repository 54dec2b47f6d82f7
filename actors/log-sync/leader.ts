/** A leader: makes records of batches, publishes each once, commits by quorum in its own epoch, helps followers catch up. */
import { encodeBarrier } from "../../protocol/barrier.ts";
import type { ServerId, Submitter } from "../../protocol/ids.ts";
import { encodeConfiguration, type Voter, withIdentity } from "../../protocol/configuration.ts";
import { RECORD_BYTES_MAX } from "../../protocol/limits.ts";
import type { Identity } from "../../protocol/identity.ts";
import {
  encodeRecord,
  RECORD_HEADER_BYTES,
  recordHeader,
  type RecordKind,
} from "../../protocol/record.ts";
import {
  COUNTER_MAX,
  counterOf,
  type Epoch,
  formatZxid,
  type Zxid,
  zxidAfter,
  zxidOf,
  ZXID_NONE,
} from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { commitThrough } from "./delivery.ts";
import { isForgetful, newIncarnation } from "./ensemble/forgotten.ts";
import { noteRecord } from "./ensemble/membership.ts";
import type { LogSyncPeerMessage, SubmitMessage, SubmitRefused } from "./messages.ts";
import { offerSnapshot } from "./snapshots/send.ts";
import { judgeAdmission } from "./disk-space.ts";
import {
  broadcast,
  contradicts,
  emitLeadership,
  type Follower,
  log,
  type LogSyncState,
  type LogSyncTurn,
  lookAgain,
  type Role,
  sendTo,
} from "./state.ts";
import { SubmitterTable } from "./submitters.ts";

type Leading = Extract<Role, { kind: "leading" }>;

/** A catch-up that made no progress for so long is begun again. */
const CATCH_UP_STALLED_MS = 300;

export function lead(turn: LogSyncTurn, of: Epoch): void {
  const { state } = turn;
  const { options } = state;
  const barrier = zxidOf(of, 0);
  const followers = new Map<ServerId, Follower>();
  for (const voter of options.voters) {
    if (voter === options.server) continue;
    followers.set(voter, {
      identity: undefined,
      guest: undefined,
      accepted: ZXID_NONE,
      incarnation: newIncarnation(),
      diskSpace: undefined,
      diskSpaceAtMs: turn.nowMs,
      treeFull: false,
      treeFullAtMs: turn.nowMs,
      catchUp: undefined,
    });
  }
  const role: Leading = {
    kind: "leading",
    epoch: of,
    barrier,
    active: false,
    followers,
    sinceMs: turn.nowMs,
    heardMs: new Map(),
    refusedJoinMs: new Map(),
    taken: new SubmitterTable(),
    outbox: [],
    outboxAfter: state.log.index.tail,
    uncommitted: [],
    uncommittedBytes: 0,
    publishing: false,
    admission: "all",
  };
  state.role = role;
  judgeAdmission(turn, role);
  turn.effects.push(
    { kind: "stopTimer", timer: "ask" },
    { kind: "startTimer", timer: "announce", afterMs: options.announceIntervalMs ?? 100 },
  );
  log(turn, "establishing", { epoch: of, after: formatZxid(state.log.index.tail) });
  emitLeadership(turn);
  const payload = encodeBarrier(state.membership.settled);
  appendRecord(turn, role, { kind: "barrier", payload, count: 1, submitter: undefined, seq: 0 });
}

type NewRecord = {
  readonly kind: RecordKind;
  readonly payload: Uint8Array;
  readonly count: number;
  readonly submitter: Submitter | undefined;
  readonly seq: number;
};

function appendRecord(turn: LogSyncTurn, role: Leading, of: NewRecord): void {
  const { state } = turn;
  const prevZxid = state.log.index.tail;
  const firstZxid = of.kind === "barrier" ? role.barrier : zxidAfter(prevZxid, 1);
  const lastZxid = zxidAfter(firstZxid, of.count - 1);
  state.log.lastTimeMs = Math.max(state.log.lastTimeMs, Math.floor(turn.wallMs));
  const record = encodeRecord(
    {
      kind: of.kind,
      firstZxid,
      lastZxid,
      prevZxid,
      timeMs: state.log.lastTimeMs,
      submitter: of.submitter,
      seq: of.seq,
    },
    of.payload,
    state.options.crc32,
  );
  state.log.index.push(lastZxid);
  state.log.recent.add(lastZxid, record);
  noteRecord(turn, record);
  role.outbox.push(record);
  role.uncommitted.push({ lastZxid, bytes: record.length });
  role.uncommittedBytes += record.length;
  publishSoon(turn, role);
}

/** All records of a turn, and the commit mark, travel together. */
function publishSoon(turn: LogSyncTurn, role: Leading): void {
  if (role.publishing) return;
  role.publishing = true;
  turn.effects.push({ kind: "endOfTurn" });
}

/** To the own disk and to all peers at the same time. */
export function publish(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role } = state;
  if (role.kind !== "leading" || !role.publishing) return;
  role.publishing = false;
  const records = role.outbox;
  const prevZxid = role.outboxAfter;
  role.outbox = [];
  role.outboxAfter = state.log.index.tail;
  if (records.length > 0) turn.effects.push(tell("log", { kind: "append", records }));
  if (role.followers.size === 0) return;
  for (const group of groupsOf(records, state.sizes.catchUp)) {
    const after = group[0] === undefined ? prevZxid : recordHeader(group[0]).prevZxid;
    broadcast(turn, appendOf(state, role, after, group));
  }
}

/** In messages of bounded size; without records still one, for the commit mark. */
function groupsOf(records: readonly Uint8Array[], bytesMax: number): Uint8Array[][] {
  const groups: Uint8Array[][] = [[]];
  let bytes = 0;
  for (const record of records) {
    if (bytes > 0 && bytes + record.length > bytesMax) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(record);
    bytes += record.length;
  }
  return groups;
}

function appendOf(
  state: LogSyncState,
  role: Leading,
  prevZxid: Zxid,
  records: readonly Uint8Array[],
): LogSyncPeerMessage {
  return {
    kind: "append",
    epoch: role.epoch,
    leader: state.options.server,
    prevZxid,
    committed: state.delivery.committed,
    records,
    admission: role.admission,
  };
}

/** Repeated for ever while leading: whoever lost an append or a commit mark learns of it. */
export function announce(turn: LogSyncTurn): void {
  const { state } = turn;
  const { role, options } = state;
  if (role.kind !== "leading") return;
  turn.effects.push({
    kind: "startTimer",
    timer: "announce",
    afterMs: options.announceIntervalMs ?? 100,
  });
  reviewAdmission(turn, role);
  if (state.role === role && role.followers.size > 0) publishSoon(turn, role);
}

/** Something is known of the room on a disk. */
export function reviewAdmission(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  const before = role.admission;
  judgeAdmission(turn, role);
  if (state.role !== role || role.admission === before) return;
  emitLeadership(turn);
  if (role.followers.size > 0) publishSoon(turn, role);
}

export function submit(turn: LogSyncTurn, role: Leading, message: SubmitMessage): void {
  const { state } = turn;
  // Until its barrier is delivered a leader does not know which batches its log holds. The submitter repeats.
  if (!role.active || state.space.disk === "full") return;
  if (RECORD_HEADER_BYTES + message.payload.length > RECORD_BYTES_MAX) {
    const detail = { server: message.submitter.server, bytes: message.payload.length };
    log(turn, "batchTooLarge", detail);
    return;
  }
  const verdict = role.taken.judge(message.submitter, message.seq);
  if (verdict.kind === "repeated") return;
  if (verdict.kind === "refuse") {
    refuse(turn, {
      kind: "submitRefused",
      submitter: message.submitter,
      reason: verdict.reason,
      expected: verdict.expected,
    });
    return;
  }
  if (role.uncommittedBytes > state.sizes.uncommitted) return;
  if (!fitsCounter(turn, message.count)) return;
  role.taken.take(message.submitter, message.seq);
  appendRecord(turn, role, { ...message, kind: "batch" });
}

/** A batch of the leader itself: it is not repeated if it is lost with the leader. */
export function propose(
  turn: LogSyncTurn,
  role: Leading,
  payload: Uint8Array,
  count: number,
): void {
  const { state } = turn;
  if (!role.active || state.space.disk === "full" || !fitsCounter(turn, count)) return;
  appendRecord(turn, role, { kind: "batch", payload, count, submitter: undefined, seq: 0 });
}

/** Binds a number to another folder. At most one change is not known to be committed at a time. */
export function logConfiguration(turn: LogSyncTurn, role: Leading, voter: Voter): void {
  const { state } = turn;
  const { settled } = state.membership;
  if (settled === undefined || !role.active || state.space.disk === "full" || !fitsCounter(turn, 1))
    return;
  const since = zxidAfter(state.log.index.tail, 1);
  const payload = encodeConfiguration(withIdentity(settled, voter, since));
  appendRecord(turn, role, {
    kind: "configuration",
    payload,
    count: 1,
    submitter: undefined,
    seq: 0,
  });
}

/** A full counter needs a new epoch, never a wrap. */
function fitsCounter(turn: LogSyncTurn, count: number): boolean {
  const { state } = turn;
  if (counterOf(state.log.index.tail) + count <= COUNTER_MAX) return true;
  lookAgain(turn, "the zxid counter of this epoch is full");
  return false;
}

export function refuse(turn: LogSyncTurn, refusal: SubmitRefused): void {
  const { state } = turn;
  const { submitter } = refusal;
  if (submitter.server === state.options.server) {
    turn.effects.push(tell(`submitter/${submitter.lane}`, refusal));
  } else {
    sendTo(turn, submitter.server, refusal);
  }
}

type Accepted = Extract<LogSyncPeerMessage, { kind: "accepted" }>;

export function receiveAccepted(
  turn: LogSyncTurn,
  role: Leading,
  { from, identity }: { readonly from: ServerId; readonly identity: Identity },
  { zxid, votes, diskSpace, treeFull }: Accepted,
): void {
  const { state } = turn;
  const follower = role.followers.get(from);
  if (follower === undefined || zxid > state.log.index.tail) return;
  // What a follower holds ends with a record; what is before the base is not known here any more.
  if (zxid > state.log.index.base && !state.log.index.holds(zxid)) {
    contradicts(turn, from, "it accepts what is no record's end");
    return;
  }
  const counts = state.membership.counted.get(from) === identity;
  if (counts && isForgetful(turn, role, from, votes)) return;
  if (counts) {
    // Without a vote it has lost what it held before, so that no longer counts either.
    const isKept = votes && follower.identity === identity;
    follower.identity = identity;
    follower.accepted = votes ? laterOf(zxid, isKept ? follower.accepted : ZXID_NONE) : ZXID_NONE;
    leaderCommit(turn, role);
  } else {
    follower.guest = { identity, accepted: zxid };
  }
  const { nowMs } = turn;
  let news = counts && follower.treeFull !== treeFull;
  if (counts) {
    follower.treeFull = treeFull;
    follower.treeFullAtMs = nowMs;
  }
  if (votes && counts) {
    news ||= follower.diskSpace !== diskSpace;
    follower.diskSpace = diskSpace;
    follower.diskSpaceAtMs = nowMs;
  }
  if (news) reviewAdmission(turn, role);
  if (state.role !== role) return;
  const { catchUp } = follower;
  // What is being read goes out when it has been; a second read would send it twice, and so on with each answer to it.
  if (catchUp === undefined || catchUp.reading || zxid < catchUp.sentThrough) return;
  if (catchUp.sentThrough < state.log.index.tail) {
    sendCatchUp(turn, role, from, follower, catchUp.sentThrough);
  } else {
    follower.catchUp = undefined;
  }
}

/**
 * Commits what a quorum holds durably, this node's own disk counting as one, if it belongs to this epoch; everything
 * before it is then committed too (Ongaro, section 5.4.2).
 */
export function leaderCommit(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  const { counted, identity: own } = state.membership;
  const durable = counted.get(state.options.server) === own ? [state.log.durable as number] : [];
  for (const [id, { identity, accepted }] of role.followers) {
    if (identity !== undefined && counted.get(id) === identity) durable.push(accepted);
  }
  durable.sort((a, b) => b - a);
  const byQuorum = (durable[state.quorum - 1] ?? ZXID_NONE) as Zxid;
  if (byQuorum < role.barrier) return;
  // Applied here only once it is durable here too.
  const through = Math.min(byQuorum, state.log.durable) as Zxid;
  if (through <= state.delivery.committed) return;
  forgetCommitted(role, through);
  commitThrough(turn, through);
  activate(turn, role);
  if (role.followers.size > 0) publishSoon(turn, role);
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
  const { state } = turn;
  if (role.active || state.delivery.delivered < role.barrier) return;
  role.active = true;
  role.taken = state.delivery.submitters.copy();
  log(turn, "leading", { epoch: role.epoch });
  emitLeadership(turn);
}

function laterOf(a: Zxid, b: Zxid): Zxid {
  return a > b ? a : b;
}

export function receiveBehind(turn: LogSyncTurn, role: Leading, from: ServerId, holds: Zxid): void {
  const { state } = turn;
  const follower = role.followers.get(from);
  if (follower === undefined) return;
  if (holds < state.log.index.base) {
    follower.catchUp = undefined;
    offerSnapshot(turn, role.epoch, from);
    return;
  }
  const { catchUp } = follower;
  const after = state.log.index.floor(holds);
  const underWay = catchUp !== undefined && turn.nowMs - catchUp.atMs < CATCH_UP_STALLED_MS;
  // It may have spoken before it got what is on its way. That it holds less than the leader thought is news.
  if (underWay && after >= catchUp.from && (catchUp.reading || after < catchUp.sentThrough)) return;
  sendCatchUp(turn, role, from, follower, after);
}

function sendCatchUp(
  turn: LogSyncTurn,
  role: Leading,
  to: ServerId,
  follower: Follower,
  after: Zxid,
): void {
  const { state } = turn;
  const { catchUp: bytesMax } = state.sizes;
  const records: Uint8Array[] = [];
  let bytes = 0;
  let through = after;
  for (
    let next = state.log.index.next(through);
    next !== undefined;
    next = state.log.index.next(through)
  ) {
    const record = state.log.recent.get(next);
    if (record === undefined || (bytes > 0 && bytes + record.length > bytesMax)) break;
    records.push(record);
    bytes += record.length;
    through = next;
  }
  const reading = records.length === 0 && through < state.log.index.tail;
  follower.catchUp = { from: after, sentThrough: through, atMs: turn.nowMs, reading };
  if (reading) {
    turn.effects.push(tell("log", { kind: "read", tag: to, after, bytesMax }));
  } else {
    sendTo(turn, to, appendOf(state, role, after, records));
  }
}

/** Records read from the log for a follower that is far behind. */
export function sendRead(
  turn: LogSyncTurn,
  role: Leading,
  to: ServerId,
  after: Zxid,
  records: readonly Uint8Array[],
): void {
  const { state } = turn;
  const follower = role.followers.get(to);
  const last = records.at(-1);
  if (follower?.catchUp === undefined || !follower.catchUp.reading || last === undefined) return;
  // Of a read that a later one has replaced. It would be acknowledged, and each acknowledgement asks for the next read.
  if (after !== follower.catchUp.from) return;
  follower.catchUp.reading = false;
  follower.catchUp.sentThrough = recordHeader(last).lastZxid;
  sendTo(turn, to, appendOf(state, role, after, records));
}

/** A peer has promised a higher epoch, so this node no longer leads. */
export function deposed(turn: LogSyncTurn, by: Epoch): void {
  const { state } = turn;
  const { role } = state;
  if ((role.kind === "leading" || role.kind === "candidate") && by > role.epoch) {
    lookAgain(turn, `epoch ${by} is promised elsewhere`);
  }
}
