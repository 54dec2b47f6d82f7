/**
 * The submitter of a lane makes one batch of all writes of a turn of the loop. It keeps each batch until the results come back from
 * this lane's tree, and sends a batch again that the leader may not have. Batches are numbered, and the log and the trees take each
 * number once and in sequence, so no write is lost and none happens twice (Raft dissertation, section 6.3, with a lane in the place of
 * a client). Reads that stand behind writes go to this lane's tree before their batch goes to the log, with the batch's number.
 */
import type { Actor } from "../../runtime/actor.ts";
import type { LocalEffect } from "../../runtime/effects.ts";
import type { Turn as TurnOf } from "../../runtime/turn.ts";
import { assert, unreachable } from "../../protocol/assert.ts";
import {
  BATCH_HEAD_BYTES,
  encodePacked,
  type PackedOperation,
  packOperation,
} from "../../protocol/batch.ts";
import type { ServerId } from "../../protocol/ids.ts";
import {
  BATCH_BYTES_SOFT_MAX,
  BATCH_OPERATIONS_MAX,
  SUBMITTER_BATCHES_IN_FLIGHT_MAX,
} from "../../protocol/limits.ts";
import { type Zxid, zxidAfter } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { GatewayName } from "../gateway/messages.ts";
import type { SubmitRefused } from "../log-sync/messages.ts";
import type { ReadsBehind } from "../tree/messages.ts";
import { connectionEnded, type EndedConnections, readsOfOthers } from "../waiting-reads.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { SubmitterMessage, SubmitterTimer, Written } from "./messages.ts";

export type SubmitterOptions = {
  readonly server: ServerId;
  readonly lane: number;
  /** Milliseconds after which batches without results are sent again. Default 500. */
  readonly repeatMs?: number;
};

/** The connection that waits for the result of an operation. */
type Owner = { readonly from: GatewayName; readonly client: number };

type Batch = {
  seq: number;
  readonly payload: Uint8Array;
  readonly owners: readonly Owner[];
  /** Reads that the tree answers when their place in the batch is applied. */
  behind: ReadsBehind[];
  sentAtMs: number;
};

export type SubmitterState = {
  readonly options: SubmitterOptions;
  /** Undefined until log-sync has sent the count of this folder's starts. No batch is made before. */
  incarnation: number | undefined;
  nextSeq: number;
  /** Whether a batch of this incarnation is known to be in the log. */
  confirmed: boolean;
  /** Whether there is a leader to which batches can be sent. */
  ready: boolean;
  epoch: number;
  /** Whether the timer runs that looks for batches that are late. It runs while there are batches in flight. */
  watching: boolean;
  /** Operations that are not yet in a batch. `pending[i]` belongs to `owners[i]`. */
  pending: PackedOperation[];
  owners: Owner[];
  /** Reads that stand behind the first `after` pending operations. */
  behind: ReadsBehind[];
  /** Connections that ended while reads waited. */
  readonly ended: EndedConnections;
  /** Batches without results, oldest first, numbered without a gap. */
  readonly inFlight: Batch[];
  /** When batches were last sent again because of a gap, and the number that the leader expected then. */
  refused: { readonly atMs: number; readonly expected: number };
};

type WriteMessage = Extract<SubmitterMessage, { kind: "write" }>;
type Applied = Extract<SubmitterMessage, { kind: "applied" }>;

/**
 * Milliseconds for which further refusals are ignored: a gap is reported once for every batch behind it, and the first report is
 * enough. A refusal that expects a later number shows progress and is not ignored.
 */
const REFUSAL_INTERVAL_MS = 20;

/** A batch without results is late after this many milliseconds. */
const LATE_MS = 50;

export type SubmitterEffect = LocalEffect<SubmitterTimer>;
type Turn = TurnOf<SubmitterState, SubmitterEffect>;

export function submitterActor(
  options: SubmitterOptions,
): Actor<SubmitterState, SubmitterMessage, SubmitterEffect> {
  return {
    name: `submitter/${options.lane}`,
    // No other actor knows for which results the clients wait, so a restarted submitter could not answer them.
    supervision: "stopNode",
    mailbox: { capacity: 1_000_000, whenFull: "stopNode" },
    start: () => initialState(options),
    receive,
  };
}

function initialState(options: SubmitterOptions): SubmitterState {
  return {
    options,
    incarnation: undefined,
    nextSeq: 1,
    confirmed: false,
    ready: false,
    epoch: 0,
    watching: false,
    pending: [],
    owners: [],
    behind: [],
    ended: new Set(),
    inFlight: [],
    refused: { atMs: Number.NEGATIVE_INFINITY, expected: 0 },
  };
}

function receive(turn: Turn, message: SubmitterMessage): void {
  const { state, random } = turn;
  switch (message.kind) {
    case "write":
      write(turn, message);
      return;
    case "forget":
      forget(turn, message);
      return;
    case "applied":
      applied(turn, message);
      return;
    case "overtaken":
      overtaken(turn, message);
      return;
    case "incarnation":
      state.incarnation = message.incarnation + Math.floor(random() * DRAWN_RANGE);
      flushSoon(turn);
      return;
    case "leadership":
      leadership(turn, message);
      return;
    case "submitRefused":
      refused(turn, message);
      return;
    case "endOfTurn":
      flush(turn);
      return;
    case "timer":
      state.watching = false;
      repeat(turn);
      return;
    default:
      unreachable(message);
  }
}

function write(turn: Turn, message: WriteMessage): void {
  const { state } = turn;
  const { from, client, operations, travelling = [] } = message;
  const owner: Owner = { from, client };
  const before = state.pending.length;
  for (const operation of operations) {
    state.pending.push(packOperation(operation));
    state.owners.push(owner);
  }
  for (const each of travelling) {
    const behind = { ...each, after: before + each.after, from, client };
    if (behind.after > 0) state.behind.push(behind);
    else addToLast(turn, behind);
  }
  if (operations.length > 0) flushSoon(turn);
}

/**
 * No operation is pending: the reads stand behind all of the last batch, of which the connection's last write is a part, if it has no
 * result yet. The tree answers at once if that batch is applied.
 */
function addToLast(turn: Turn, reads: ReadsBehind): void {
  const { state } = turn;
  const last = state.inFlight.at(-1);
  const behind = { ...reads, after: last?.owners.length ?? 0 };
  last?.behind.push(behind);
  tellTree(turn, state.nextSeq - 1, [behind]);
}

function tellTree({ state, effects }: Turn, seq: number, behind: ReadsBehind[]): void {
  const { incarnation, options, ended } = state;
  assert(incarnation !== undefined, "reads are of sessions, which some batch has attached");
  // The batch's own list grows.
  const now = [...readsOfOthers(ended, behind)];
  if (now.length === 0) return;
  effects.push(
    tell(`tree/${options.lane}`, { kind: "readsBehind", incarnation, seq, behind: now }),
  );
}

/** The gateway has told the tree itself; but the tree may have got reads of the connection since, and may get no more. */
function forget({ state, effects }: Turn, { from, client }: Owner): void {
  connectionEnded(state.ended, { from, client }, [state, ...state.inFlight]);
  effects.push(tell(`tree/${state.options.lane}`, { kind: "forget", from, client }));
}

/** Makes a batch at the end of the turn of the loop, so that the writes of all connections in it share the batch. */
function flushSoon({ state, effects }: Turn): void {
  if (canFlush(state)) effects.push({ kind: "endOfTurn" });
}

function canFlush(state: SubmitterState): boolean {
  return (
    state.ready &&
    state.incarnation !== undefined &&
    state.pending.length > 0 &&
    state.inFlight.length < SUBMITTER_BATCHES_IN_FLIGHT_MAX
  );
}

function flush(turn: Turn): void {
  const { state } = turn;
  while (canFlush(state)) {
    const count = batchLength(state.pending);
    const whole = count === state.pending.length;
    const operations = whole ? state.pending : state.pending.slice(0, count);
    const owners = whole ? state.owners : state.owners.slice(0, count);
    const behind = takeBehind(state, count);
    state.pending = whole ? [] : state.pending.slice(count);
    state.owners = whole ? [] : state.owners.slice(count);
    const batch: Batch = {
      seq: state.nextSeq,
      payload: encodePacked(operations),
      owners,
      behind,
      sentAtMs: turn.nowMs,
    };
    state.nextSeq += 1;
    state.inFlight.push(batch);
    tellTree(turn, batch.seq, behind);
    submit(turn, batch);
  }
}

/** Takes the reads that stand behind the first `count` pending operations. */
function takeBehind(state: SubmitterState, count: number): ReadsBehind[] {
  const all = state.behind;
  state.behind = [];
  const end = all.findIndex(({ after }) => after > count);
  if (end === -1) return all;
  for (const reads of all.slice(end)) state.behind.push({ ...reads, after: reads.after - count });
  return all.slice(0, end);
}

function batchLength(operations: readonly PackedOperation[]): number {
  let bytes = BATCH_HEAD_BYTES;
  let count = 0;
  for (const operation of operations) {
    bytes += operation.bytes;
    if (count > 0 && (bytes > BATCH_BYTES_SOFT_MAX || count >= BATCH_OPERATIONS_MAX)) break;
    count += 1;
  }
  return count;
}

function submit({ state, effects, nowMs }: Turn, batch: Batch): void {
  assert(state.incarnation !== undefined, "a batch is sent by a submitter with an incarnation");
  const { server, lane } = state.options;
  batch.sentAtMs = nowMs;
  const submitter = { server, lane, incarnation: state.incarnation };
  const { seq, payload, owners } = batch;
  effects.push(tell("log-sync", { kind: "submit", submitter, seq, count: owners.length, payload }));
  watch({ state, effects });
}

function applied(turn: Turn, message: Applied): void {
  const { state } = turn;
  // When the log is replayed at the start, the batches of earlier incarnations are applied again. Nobody waits for their results.
  if (message.incarnation !== state.incarnation) return;
  const batch = state.inFlight.shift();
  assert(batch !== undefined, "results belong to a batch in flight");
  assert(batch.seq === message.seq, "batches of a submitter are applied in sequence");
  assert(batch.owners.length === message.results.length, "each operation has one result");
  state.confirmed = true;
  answer(turn, batch.owners, message);
  flushSoon(turn);
}

function overtaken(
  turn: Turn,
  { incarnation, seq }: Extract<SubmitterMessage, { kind: "overtaken" }>,
): void {
  const { state } = turn;
  if (incarnation !== state.incarnation) return;
  const kept = state.inFlight.findIndex((batch) => batch.seq > seq);
  state.inFlight.splice(0, kept === -1 ? state.inFlight.length : kept);
  state.confirmed = true;
  flushSoon(turn);
}

/** One `written` for each run of operations of one client. */
function answer(
  { effects }: Turn,
  owners: readonly Owner[],
  { results, firstZxid }: Applied,
): void {
  let from = 0;
  while (from < owners.length) {
    const owner = owners[from];
    if (owner === undefined) break;
    let to = from + 1;
    while (to < owners.length && isSame(owners[to], owner)) to += 1;
    const zxids: Zxid[] = [];
    for (let index = from; index < to; index += 1) zxids.push(zxidAfter(firstZxid, index));
    const written: Written = {
      kind: "written",
      client: owner.client,
      zxids,
      results: from === 0 && to === results.length ? results : results.slice(from, to),
    };
    effects.push(tell(owner.from, written));
    from = to;
  }
}

function isSame(a: Owner | undefined, b: Owner): boolean {
  return a === b || (a !== undefined && a.client === b.client && a.from === b.from);
}

function leadership(turn: Turn, { role, epoch }: Leadership): void {
  const { state } = turn;
  const ready = role === "leading" || role === "following";
  const news = ready && (!state.ready || epoch !== state.epoch);
  state.ready = ready;
  if (!news) return;
  state.epoch = epoch;
  // The new leader may never have received these batches. It ignores those that its log holds already.
  resubmit(turn, 0);
  flushSoon(turn);
}

function resubmit(turn: Turn, fromSeq: number): void {
  for (const batch of turn.state.inFlight) if (batch.seq >= fromSeq) submit(turn, batch);
}

function refused(turn: Turn, message: SubmitRefused): void {
  const { state, nowMs } = turn;
  const { submitter, reason, expected } = message;
  if (submitter.incarnation !== state.incarnation) return;
  if (reason === "staleIncarnation") {
    renew(turn, expected);
    return;
  }
  const isRecent = nowMs - state.refused.atMs < REFUSAL_INTERVAL_MS;
  if (isRecent && expected <= state.refused.expected) return;
  state.refused = { atMs: nowMs, expected };
  resubmit(turn, expected);
}

/**
 * The log knows a later incarnation of this lane, because the node's disk was replaced and its count of starts was lost with it. The
 * log has not taken any batch of the present incarnation, so the submitter continues under a number above the known one. Another
 * process of this node may have come to this point before, and may have lost its disk before the log took any of its batches; those
 * may still be on their way. If both processes used the next number, a batch of the other would pass for one of this incarnation, and
 * a client would get the result of an operation that it did not ask for. So the number is drawn at random, from a range so wide that
 * no two processes draw the same.
 */
function renew(turn: Turn, current: number): void {
  const { state, effects, random } = turn;
  if (state.confirmed) {
    const reason = `a later process runs as this node (incarnation ${current}): two nodes have the same id`;
    effects.push({ kind: "stopNode", reason });
    return;
  }
  state.incarnation = current + 1 + Math.floor(random() * DRAWN_RANGE);
  state.inFlight.forEach((batch, index) => {
    batch.seq = index + 1;
    tellTree(turn, batch.seq, batch.behind);
  });
  state.nextSeq = state.inFlight.length + 1;
  state.refused = { atMs: Number.NEGATIVE_INFINITY, expected: 0 };
  resubmit(turn, 0);
}

/**
 * The size of the range above the count of the folder's starts from which an incarnation is drawn. The count alone does not
 * distinguish two processes: when an old copy of a folder is put back, its next start has a count that an earlier process had, and
 * would take that process's batches for its own. Two processes draw the same number with a probability of 2^-32. After two million
 * such renewals an incarnation is still below 2^53, up to which a double is exact.
 */
const DRAWN_RANGE = 2 ** 32;

/**
 * Sends the batches without results again, since messages between nodes may be lost. Before that, a batch that is late makes the
 * heartbeat actor ask whether the leader is still there.
 */
function repeat(turn: Turn): void {
  const { state, effects, nowMs } = turn;
  const [oldest] = state.inFlight;
  const { repeatMs = 500 } = state.options;
  if (oldest === undefined) return;
  watch(turn);
  if (!state.ready) return;
  const agedMs = nowMs - oldest.sentAtMs;
  if (agedMs >= LATE_MS) effects.push(tell("heartbeat", { kind: "doubted" }));
  if (agedMs >= repeatMs) resubmit(turn, 0);
}

function watch({ state, effects }: Pick<Turn, "state" | "effects">): void {
  if (state.watching) return;
  state.watching = true;
  effects.push({ kind: "startTimer", timer: "repeat", afterMs: LATE_MS });
}
