/**
 * The tree actor of a lane is a full replica of the state machine. It applies committed records, answers reads, fires watches, feeds
 * change streams, and cuts and loads snapshots. The order of its messages matters: first the watch events of a record, then the results
 * of that record, so that a client learns of a change before it can see a reply that shows it; the answers of reads between two
 * operations of a record leave behind the events of the first and before those of the second; the change streams come after all records
 * of the message.
 */
import { unreachable } from "../../protocol/assert.ts";
import type { Actor } from "../../runtime/actor.ts";
import { tell } from "../inboxes.ts";
import type { SnapshotChunk } from "../log/messages.ts";
import { emit } from "../topics.ts";
import { applyRecord } from "./apply/apply.ts";
import { ApplyFailure, stopFor } from "./apply/apply-failure.ts";
import { listEphemerals, listSessionCounts, listSessionEphemerals } from "./ephemerals.ts";
import type { TreeMessage, TreeMetrics } from "./messages.ts";
import { listDue } from "./reap-walk.ts";
import { answerReads } from "./reads.ts";
import { takeReadsBehind } from "./apply/reads-behind.ts";
import { answerChecks, checkSession, forgetChecks } from "./apply/session-checks.ts";
import { connectionEnded } from "../waiting-reads.ts";
import { HASH_KEY_BYTES } from "./store/name-hash.ts";
import { emitSessionChanges } from "./session-changes.ts";
import { sizeOf, stopIfTooLarge, emitMemory } from "./store/size.ts";
import { beginCut, chunkStored, dropCut } from "./snapshot/cut.ts";
import { beginLoad, loadChunk } from "./snapshot/load.ts";
import {
  createState,
  type TreeEffect,
  type TreeOptions,
  type TreeState,
  type TreeTurn,
} from "./state.ts";
import { closeStreams, flushStreams, receiveForStreams } from "./watch/streams.ts";
import { countClientWatches, listWatches } from "./watch/list.ts";
import { findWatches } from "./watch/find.ts";
import { forgetWatcher } from "./watch/watches.ts";

export type { TreeOptions, TreeState } from "./state.ts";

/** The gateways limit what their clients have under way, and log-sync limits what is committed at once; more than this is a bug. */
const MAILBOX_CAPACITY = 65_536;

export function treeActor(options: TreeOptions): Actor<TreeState, TreeMessage, TreeEffect> {
  return {
    name: `tree/${options.lane}`,
    supervision: "stopNode",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: ({ randomBytes, wallMs }) => createState(options, randomBytes(HASH_KEY_BYTES), wallMs),
    receive,
  };
}

type ListQuestion = Extract<
  TreeMessage,
  { readonly kind: "listEphemerals" | "listSessionCounts" | "listSessionEphemerals" }
>;

function receive(turn: TreeTurn, message: TreeMessage): void {
  const { state, effects } = turn;
  switch (message.kind) {
    case "committed":
      applyCommitted(turn, message.records);
      return;
    case "read":
      answerReads(turn, message);
      return;
    case "readsBehind":
      takeReadsBehind(turn, message);
      return;
    case "checkSession":
      checkSession(turn, message);
      return;
    case "forget":
      connectionEnded(state.ended, message, state.behind);
      forgetChecks(state, message.from, message.client);
      forgetWatcher(state.watches, message.from, message.client);
      closeStreams(state.streams, message.from, message.client);
      return;
    case "openStream":
    case "closeStream":
    case "reportProgress":
      receiveForStreams(turn, message);
      return;
    case "reportMetrics":
      effects.push(emit("metrics", metricsOf(state)));
      return;
    case "listEphemerals":
    case "listSessionCounts":
    case "listSessionEphemerals":
      list(turn, message);
      return;
    case "listDue":
      listDue(turn, message);
      return;
    case "endReapWalk":
      // An iterator that nobody goes on with would keep every table that the map has outgrown since.
      state.reapWalk = undefined;
      return;
    case "listWatches":
      effects.push(tell(message.from, listWatches(state.watches, message)));
      return;
    case "countClientWatches":
      effects.push(tell(message.from, countClientWatches(state.watches, message)));
      return;
    case "findWatches":
      effects.push(tell(message.from, findWatches(state.watches, message)));
      return;
    case "cutSnapshot":
      beginCut(turn);
      return;
    case "chunkStored":
      chunkStored(turn, message.zxid, message.index);
      return;
    case "snapshotRefused":
      dropCut(state, message.zxid);
      return;
    case "loadSnapshot":
      beginLoad(turn, message.zxid);
      return;
    case "snapshotChunk":
      takeChunk(turn, message);
      return;
    default:
      unreachable(message);
  }
}

function list(turn: TreeTurn, message: ListQuestion): void {
  switch (message.kind) {
    case "listEphemerals":
      listEphemerals(turn, message);
      return;
    case "listSessionCounts":
      listSessionCounts(turn, message);
      return;
    case "listSessionEphemerals":
      listSessionEphemerals(turn, message);
  }
}

function takeChunk(turn: TreeTurn, chunk: SnapshotChunk): void {
  const isLoaded = loadChunk(turn, chunk);
  stopIfTooLarge(turn);
  if (!isLoaded) return;
  emitMemory(turn);
  answerChecks(turn);
  turn.effects.push(emit("metrics", metricsOf(turn.state)));
}

function applyCommitted(turn: TreeTurn, records: readonly Uint8Array[]): void {
  let operations = 0;
  try {
    for (const record of records) operations += applyRecord(turn, record);
  } catch (error) {
    if (!(error instanceof ApplyFailure)) throw error;
    stopFor(turn, error);
    return;
  }
  emitMemory(turn);
  stopIfTooLarge(turn);
  answerChecks(turn);
  flushStreams(turn, operations);
  emitSessionChanges(turn);
}

function metricsOf(state: TreeState): TreeMetrics {
  const { options, lastApplied, znodes, sessions, watches } = state;
  const { heapBytes, bytes } = sizeOf(state);
  return {
    kind: "treeMetrics",
    lane: options.lane,
    sessions: sessions.size,
    treeBytes: bytes,
    treeBytesMax: options.limits.bytesMax,
    treeHeapBytes: heapBytes,
    treeHeapBytesMax: options.limits.heapBytesMax,
    zxid: lastApplied,
    znodes: znodes.size,
    watches: watches.count,
    ephemerals: znodes.ephemerals,
    dataBytes: znodes.dataBytes,
  };
}
