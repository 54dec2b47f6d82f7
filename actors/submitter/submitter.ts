/**
 * The submitter of a lane. It makes one batch of the writes of a turn, keeps each batch until its results come back from
 * this lane's tree, and repeats what a leader may not have: with the sequence numbers no write happens twice or is lost.
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
import type { Leadership } from "../../protocol/replication.ts";
import type { SubmitterMessage, SubmitterTimer, Written } from "./messages.ts";

export type SubmitterOptions = {
  readonly server: ServerId;
  readonly lane: number;
  /** A batch without its results after so long is sent again. Default 500. */
  readonly repeatMs?: number;
};

/** Who waits for the result of an operation. */
type Owner = { readonly from: GatewayName; readonly client: number };

type Batch = {
  seq: number;
  readonly payload: Uint8Array;
  readonly owners: readonly Owner[];
  sentAtMs: number;
};

export type SubmitterState = {
  readonly options: SubmitterOptions;
  incarnation: number | undefined;
  nextSeq: number;
  /** Whether a result came in this incarnation. */
  confirmed: boolean;
  /** There is a leader to send to. */
  ready: boolean;
  epoch: number;
  /** Not yet in a batch. `pending[i]` belongs to `owners[i]`. */
  pending: PackedOperation[];
  owners: Owner[];
  /** Oldest first, numbered in sequence. */
  readonly inFlight: Batch[];
  /** The last gap for which batches were sent again. */
  refused: { readonly atMs: number; readonly expected: number };
};

type Applied = Extract<SubmitterMessage, { kind: "applied" }>;

/** Refusals of the same gap arrive in a burst; the first is enough. One of a later gap says that there was progress. */
const REFUSAL_INTERVAL_MS = 20;

export type SubmitterEffect = LocalEffect<SubmitterTimer>;
type Turn = TurnOf<SubmitterState, SubmitterEffect>;

export function submitterActor(
  options: SubmitterOptions,
): Actor<SubmitterState, SubmitterMessage, SubmitterEffect> {
  return {
    name: `submitter/${options.lane}`,
    // It alone knows which results its clients wait for.
    supervision: "stopNode",
    mailbox: { capacity: 1_000_000, whenFull: "stopNode" },
    start: ({ effects }) => {
      effects.push(startRepeat(options));
      return initialState(options);
    },
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
    pending: [],
    owners: [],
    inFlight: [],
    refused: { atMs: Number.NEGATIVE_INFINITY, expected: 0 },
  };
}

function receive(turn: Turn, message: SubmitterMessage): void {
  const { state, effects, random } = turn;
  switch (message.kind) {
    case "write":
      write(turn, message);
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
      repeat(turn);
      effects.push(startRepeat(state.options));
      return;
    default:
      unreachable(message);
  }
}

function write(turn: Turn, message: Extract<SubmitterMessage, { kind: "write" }>): void {
  const { state } = turn;
  const owner: Owner = { from: message.from, client: message.client };
  for (const operation of message.operations) {
    state.pending.push(packOperation(operation));
    state.owners.push(owner);
  }
  flushSoon(turn);
}

/** At the end of the turn, so that all connections' writes of a turn share a batch. */
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
    state.pending = whole ? [] : state.pending.slice(count);
    state.owners = whole ? [] : state.owners.slice(count);
    const batch: Batch = {
      seq: state.nextSeq,
      payload: encodePacked(operations),
      owners,
      sentAtMs: turn.nowMs,
    };
    state.nextSeq += 1;
    state.inFlight.push(batch);
    submit(turn, batch);
  }
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
}

function applied(turn: Turn, message: Applied): void {
  const { state } = turn;
  // Batches of an earlier incarnation come by when the log is replayed.
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
  // The new leader may never have heard of them; what its log holds it knows, and passes over.
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
 * The log knows a later incarnation of this lane: the node's disk was replaced, and with it the count of its starts. Nothing of
 * this incarnation was taken, so it goes on under a number above. Another incarnation that had come to the same point, and lost
 * its disk before anything of it was taken, may still have batches on their way: with the next number for both, its batch would
 * be taken for one of this incarnation, and its result told to a client that asked for something else. So the number is drawn,
 * far enough above that no two are the same.
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
  });
  state.nextSeq = state.inFlight.length + 1;
  state.refused = { atMs: Number.NEGATIVE_INFINITY, expected: 0 };
  resubmit(turn, 0);
}

/**
 * How far above the count of the folder's starts an incarnation is drawn. The count alone tells no two processes apart: an old copy
 * of a folder that is put back counts again what was counted before, and would take the batches of that process for its own.
 * Two in so many are the same by chance; about two million starts of a lane stay exact numbers.
 */
const DRAWN_RANGE = 2 ** 32;

/** Messages between nodes may be lost. */
function repeat(turn: Turn): void {
  const { state, nowMs } = turn;
  const [oldest] = state.inFlight;
  const { repeatMs = 500 } = state.options;
  if (!state.ready || oldest === undefined) return;
  if (nowMs - oldest.sentAtMs >= repeatMs) resubmit(turn, 0);
}

function startRepeat({ repeatMs = 500 }: SubmitterOptions): SubmitterEffect {
  return { kind: "startTimer", timer: "repeat", afterMs: repeatMs / 2 };
}
