/**
 * The submitter of a lane. It makes one batch of the writes of a turn, keeps each batch until its results come back from
 * this lane's tree, and repeats what a leader may not have: with the sequence numbers no write happens twice or is lost.
 */
import type { Actor, Context, Step } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import { assert } from "../../protocol/assert.ts";
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
import type { OperationResult } from "../../protocol/operations.ts";
import { type Zxid, zxidAfter } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import type { SubmitRefused } from "../log-sync/messages.ts";
import type { Leadership } from "../../protocol/replication.ts";
import type { SubmitterMessage, Written } from "./messages.ts";

export type SubmitterOptions = {
  readonly server: ServerId;
  readonly lane: number;
  /** A batch without its results after so long is sent again. Default 500. */
  readonly repeatMs?: number;
};

/** Who waits for the result of an operation. */
type Owner = { readonly from: string; readonly client: number };

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

export function submitterActor(options: SubmitterOptions): Actor<SubmitterState, SubmitterMessage> {
  return {
    name: `submitter/${options.lane}`,
    // It alone knows which results its clients wait for.
    supervision: "stopNode",
    mailbox: { capacity: 1_000_000, whenFull: "stopNode" },
    start: () => ({
      state: initialState(options),
      effects: [startRepeat(options)],
    }),
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

function receive(
  state: SubmitterState,
  message: SubmitterMessage,
  context: Context,
): Step<SubmitterState> {
  switch (message.kind) {
    case "write":
      return write(state, message);
    case "applied":
      return applied(state, message);
    case "overtaken":
      return overtaken(state, message);
    case "incarnation":
      state.incarnation = message.incarnation + Math.floor(context.random() * DRAWN_RANGE);
      return { state, effects: flushSoon(state) };
    case "leadership":
      return leadership(state, message, context);
    case "submitRefused":
      return refused(state, message, context);
    default:
      return message.timer === "flush"
        ? { state, effects: flush(state, context) }
        : { state, effects: [...repeat(state, context), startRepeat(state.options)] };
  }
}

function write(
  state: SubmitterState,
  message: Extract<SubmitterMessage, { kind: "write" }>,
): Step<SubmitterState> {
  const owner: Owner = { from: message.from, client: message.client };
  for (const operation of message.operations) {
    state.pending.push(packOperation(operation));
    state.owners.push(owner);
  }
  return { state, effects: flushSoon(state) };
}

/** At the end of the turn, so that all connections' writes of a turn share a batch. */
function flushSoon(state: SubmitterState): Effect[] {
  return canFlush(state) ? [{ kind: "startTimer", timer: "flush", afterMs: 0 }] : [];
}

function canFlush(state: SubmitterState): boolean {
  return (
    state.ready &&
    state.incarnation !== undefined &&
    state.pending.length > 0 &&
    state.inFlight.length < SUBMITTER_BATCHES_IN_FLIGHT_MAX
  );
}

function flush(state: SubmitterState, context: Context): Effect[] {
  const effects: Effect[] = [];
  while (canFlush(state)) {
    const count = batchLength(state.pending);
    const whole = count === state.pending.length;
    const operations = whole ? state.pending : state.pending.slice(0, count);
    const owners = whole ? state.owners : state.owners.slice(0, count);
    state.pending = whole ? [] : state.pending.slice(count);
    state.owners = whole ? [] : state.owners.slice(count);
    const batch: Batch = {
      seq: state.nextSeq,
      // Encoded bytes may be a view into a larger buffer; a message owns its bytes.
      payload: new Uint8Array(encodePacked(operations)),
      owners,
      sentAtMs: context.nowMs,
    };
    state.nextSeq += 1;
    state.inFlight.push(batch);
    effects.push(submit(state, batch, context));
  }
  return effects;
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

function submit(state: SubmitterState, batch: Batch, context: Context): Effect {
  assert(state.incarnation !== undefined, "a batch is sent by a submitter with an incarnation");
  const { server, lane } = state.options;
  batch.sentAtMs = context.nowMs;
  return tell("log-sync", {
    kind: "submit",
    submitter: { server, lane, incarnation: state.incarnation },
    seq: batch.seq,
    count: batch.owners.length,
    payload: batch.payload,
  });
}

function applied(state: SubmitterState, message: Applied): Step<SubmitterState> {
  // Batches of an earlier life come by when the log is replayed.
  if (message.incarnation !== state.incarnation) return { state, effects: [] };
  const batch = state.inFlight.shift();
  assert(batch !== undefined, "results belong to a batch in flight");
  assert(batch.seq === message.seq, "batches of a submitter are applied in sequence");
  assert(batch.owners.length === message.results.length, "each operation has one result");
  state.confirmed = true;
  const effects = answer(batch.owners, message.results, message.firstZxid);
  effects.push(...flushSoon(state));
  return { state, effects };
}

function overtaken(
  state: SubmitterState,
  { incarnation, seq }: Extract<SubmitterMessage, { kind: "overtaken" }>,
): Step<SubmitterState> {
  if (incarnation !== state.incarnation) return { state, effects: [] };
  const kept = state.inFlight.findIndex((batch) => batch.seq > seq);
  state.inFlight.splice(0, kept === -1 ? state.inFlight.length : kept);
  state.confirmed = true;
  return { state, effects: flushSoon(state) };
}

/** One `written` for each run of operations of one client. */
function answer(
  owners: readonly Owner[],
  results: readonly OperationResult[],
  firstZxid: Zxid,
): Effect[] {
  const effects: Effect[] = [];
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
    effects.push({ kind: "tell", to: owner.from, message: written });
    from = to;
  }
  return effects;
}

function isSame(a: Owner | undefined, b: Owner): boolean {
  return a === b || (a !== undefined && a.client === b.client && a.from === b.from);
}

function leadership(
  state: SubmitterState,
  message: Leadership,
  context: Context,
): Step<SubmitterState> {
  const ready = message.role === "leading" || message.role === "following";
  const news = ready && (!state.ready || message.epoch !== state.epoch);
  state.ready = ready;
  if (!news) return { state, effects: [] };
  state.epoch = message.epoch;
  // The new leader may never have heard of them; what its log holds it knows, and passes over.
  return { state, effects: [...resubmit(state, 0, context), ...flushSoon(state)] };
}

function resubmit(state: SubmitterState, fromSeq: number, context: Context): Effect[] {
  return state.inFlight
    .filter((batch) => batch.seq >= fromSeq)
    .map((batch) => submit(state, batch, context));
}

function refused(
  state: SubmitterState,
  message: SubmitRefused,
  context: Context,
): Step<SubmitterState> {
  if (message.submitter.incarnation !== state.incarnation) return { state, effects: [] };
  if (message.reason === "staleIncarnation") return renew(state, message.expected, context);
  const { expected } = message;
  const isRecent = context.nowMs - state.refused.atMs < REFUSAL_INTERVAL_MS;
  if (isRecent && expected <= state.refused.expected) return { state, effects: [] };
  state.refused = { atMs: context.nowMs, expected };
  return { state, effects: resubmit(state, expected, context) };
}

/**
 * The log knows a later life of this lane than this one: the node's disk was replaced, and with it the count of its
 * starts. Nothing of this life was taken, so it goes on under a number above. Another life that had come to the same point,
 * and lost its disk before anything of it was taken, may still have batches on their way: with the next number for both, its
 * batch would be taken for this life's, and its result told to a client that asked for something else. So the number is
 * drawn, far enough above that no two are the same.
 */
function renew(state: SubmitterState, current: number, context: Context): Step<SubmitterState> {
  if (state.confirmed) {
    const reason = `a later process runs as this node (incarnation ${current}): two nodes have the same id`;
    return { state, effects: [{ kind: "stopNode", reason }] };
  }
  state.incarnation = current + 1 + Math.floor(context.random() * DRAWN_RANGE);
  state.inFlight.forEach((batch, index) => {
    batch.seq = index + 1;
  });
  state.nextSeq = state.inFlight.length + 1;
  state.refused = { atMs: Number.NEGATIVE_INFINITY, expected: 0 };
  return { state, effects: resubmit(state, 0, context) };
}

/**
 * How far above the count of the folder's starts an incarnation is drawn. The count alone tells no two processes apart: an old copy
 * of a folder that is put back counts again what was counted before, and would take the batches of that process for its own.
 * Two in so many are the same by chance; about two million starts of a lane stay exact numbers.
 */
const DRAWN_RANGE = 2 ** 32;

/** Messages between nodes may be lost. */
function repeat(state: SubmitterState, context: Context): Effect[] {
  const oldest = state.inFlight[0];
  const { repeatMs = 500 } = state.options;
  if (!state.ready || oldest === undefined) return [];
  return context.nowMs - oldest.sentAtMs < repeatMs ? [] : resubmit(state, 0, context);
}

function startRepeat(options: SubmitterOptions): Effect {
  return { kind: "startTimer", timer: "repeat", afterMs: (options.repeatMs ?? 500) / 2 };
}
