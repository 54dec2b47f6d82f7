/**
 * The tree actor of a lane: a full replica of the state machine. It applies committed records, answers reads, fires
 * watches, feeds change streams, cuts snapshots and loads them. Order of what it tells: the watch events of a record, then the results of that
 * record, and after all records of the message the change streams.
 */
import { unreachable } from "../../protocol/assert.ts";
import type { Actor, Step } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import { applyRecord } from "./apply/apply.ts";
import { ApplyFailure, stopFor } from "./apply/apply-failure.ts";
import { digestOf } from "./store/digest.ts";
import type { Applied, TreeDigest, TreeMessage } from "./messages.ts";
import { answerReads } from "./reads.ts";
import { answerChecks, checkSession, forgetChecks } from "./apply/session-checks.ts";
import { sessionChanges } from "./store/sessions.ts";
import { sizeOf, stopIfTooLarge, emitMemory } from "./store/size.ts";
import { beginCut, chunkStored, dropCut } from "./snapshot/cut.ts";
import { loadChunk } from "./snapshot/load.ts";
import { createState, type TreeOptions, type TreeState } from "./state.ts";
import { closeStream, closeStreams, flushStreams, openStream } from "./watch/streams.ts";
import { forgetWatcher } from "./watch/watches.ts";

export type { TreeOptions, TreeState } from "./state.ts";

/** Gateways bound what their clients have under way, and log-sync what is committed; more than this is a bug. */
const MAILBOX_CAPACITY = 65_536;

export function treeActor(options: TreeOptions): Actor<TreeState, TreeMessage> {
  return {
    name: `tree/${options.lane}`,
    supervision: "stopNode",
    mailbox: { capacity: MAILBOX_CAPACITY, whenFull: "stopNode" },
    start: (): Step<TreeState> => ({ state: createState(options), effects: [] }),
    receive,
  };
}

function receive(state: TreeState, message: TreeMessage): Step<TreeState> {
  const effects: Effect[] = [];
  switch (message.kind) {
    case "committed":
      applyCommitted(state, message.records, effects);
      break;
    case "read":
      answerReads(state, message, effects);
      break;
    case "checkSession":
      checkSession(state, message, effects);
      break;
    case "forget":
      forgetChecks(state, message.from, message.client);
      forgetWatcher(state.watches, message.from, message.client);
      closeStreams(state.streams, message.from, message.client);
      break;
    case "openStream":
      openStream(state.streams, state.ring, state.lastApplied, message, effects);
      break;
    case "closeStream":
      closeStream(state.streams, message.from, message.client, message.stream);
      break;
    case "figures":
      effects.push({ kind: "emit", topic: "applied$", value: metricsOf(state) });
      break;
    case "digest": {
      const { tag } = message;
      const digest = digestOf(state);
      const reply: TreeDigest = { kind: "digest", tag, zxid: state.lastApplied, digest };
      effects.push({ kind: "tell", to: message.from, message: reply });
      break;
    }
    case "cutSnapshot":
      beginCut(state, effects);
      break;
    case "chunkStored":
      chunkStored(state, message.zxid, message.index, effects);
      break;
    case "snapshotRefused":
      dropCut(state, message.zxid);
      break;
    case "loadChunk":
      loadChunk(state, message, effects);
      stopIfTooLarge(state, effects);
      if (message.last) emitMemory(state, effects);
      if (message.last) answerChecks(state, effects);
      if (message.last) effects.push({ kind: "emit", topic: "applied$", value: metricsOf(state) });
      break;
    default:
      return unreachable(message);
  }
  return { state, effects };
}

function applyCommitted(state: TreeState, records: readonly Uint8Array[], effects: Effect[]): void {
  let operations = 0;
  try {
    for (const record of records) operations += applyRecord(state, record, effects);
  } catch (error) {
    if (!(error instanceof ApplyFailure)) throw error;
    effects.push(...stopFor(error));
    return;
  }
  emitMemory(state, effects);
  stopIfTooLarge(state, effects);
  answerChecks(state, effects);
  flushStreams(state.streams, state.ring, state.lastApplied, operations, effects);
  const changes = sessionChanges(state.sessions, state.sessionsTouched);
  state.sessionsTouched.clear();
  if (changes !== undefined) effects.push({ kind: "emit", topic: "sessions$", value: changes });
  effects.push({ kind: "emit", topic: "applied$", value: metricsOf(state) });
}

function metricsOf(state: TreeState): Applied {
  const { options, lastApplied, znodes, sessions, watches } = state;
  const { heapBytes, bytes } = sizeOf(state);
  return {
    kind: "applied$",
    lane: options.lane,
    sessions: sessions.size,
    treeBytes: bytes,
    treeBytesMax: options.limits.bytesMax,
    treeHeapBytes: heapBytes,
    treeHeapBytesMax: options.limits.heapBytesMax,
    zxid: lastApplied,
    znodes: znodes.byPath.size,
    watches: watches.count,
    ephemerals: znodes.ephemerals,
    dataBytes: znodes.dataBytes,
  };
}
