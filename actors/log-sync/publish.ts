/** How a leader sends the records that it has made, all at once, to its own log and to its peers. */
import type { Submitter } from "../../protocol/ids.ts";
import { encodeRecord, recordHeader, type RecordKind } from "../../protocol/record.ts";
import { zxidAfter, type Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { asksOf, decideAsking } from "./asking.ts";
import { broadcast } from "./effects.ts";
import { noteRecord } from "./ensemble/membership.ts";
import { holdsBack, noteInFlight } from "./in-flight.ts";
import type { LogSyncPeerMessage } from "./messages.ts";
import type { Leading } from "./roles.ts";
import type { LogSyncState, LogSyncTurn } from "./state.ts";

type NewRecord = {
  readonly kind: RecordKind;
  readonly payload: Uint8Array;
  readonly count: number;
  readonly submitter: Submitter | undefined;
  readonly seq: number;
};

/** Makes the next record of the epoch. It goes out at the end of the turn, or when those in flight are committed. */
export function appendRecord(turn: LogSyncTurn, role: Leading, content: NewRecord): void {
  const { state } = turn;
  const prevZxid = state.log.index.tail;
  const firstZxid = content.kind === "barrier" ? role.barrier : zxidAfter(prevZxid, 1);
  const lastZxid = zxidAfter(firstZxid, content.count - 1);
  state.log.lastTimeMs = Math.max(state.log.lastTimeMs, Math.floor(turn.wallMs));
  const record = encodeRecord(
    {
      kind: content.kind,
      firstZxid,
      lastZxid,
      prevZxid,
      timeMs: state.log.lastTimeMs,
      quotasEnforced: state.options.enforceQuota ?? false,
      submitter: content.submitter,
      seq: content.seq,
    },
    content.payload,
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

/** Publishes at the end of the turn of the loop, so that all records and the commit mark travel together. */
export function publishSoon(turn: LogSyncTurn, role: Leading): void {
  if (role.publishing) return;
  role.publishing = true;
  turn.effects.push({ kind: "endOfTurn" });
}

/** Sends the records of the outbox to this node's log and to all peers at the same time, unless those in flight hold them back. */
export function publish(turn: LogSyncTurn, role: Leading): void {
  const { state } = turn;
  if (!role.publishing) return;
  role.publishing = false;
  if (holdsBack(turn, role)) return;
  const records = role.outbox;
  const prevZxid = role.outboxAfter;
  role.outbox = [];
  role.outboxAfter = state.log.index.tail;
  if (records.length > 0) {
    turn.effects.push(tell("log", { kind: "append", records }));
    noteInFlight(turn, role);
    announceSoon(turn, role);
  }
  if (role.followers.size === 0) return;
  if (records.length > 0) decideAsking(state, role);
  role.asking.published = state.delivery.committed;
  for (const group of groupsOf(records, state.sizes.catchUp)) {
    const after = group[0] === undefined ? prevZxid : recordHeader(group[0]).prevZxid;
    broadcast(turn, appendOf(state, role, after, group));
  }
}

/** After a quiet time the announcements come again at their interval. */
function announceSoon({ state, effects }: LogSyncTurn, role: Leading): void {
  const { announceIntervalMs = 100 } = state.options;
  if (role.announceMs === announceIntervalMs) return;
  role.announceMs = announceIntervalMs;
  effects.push({ kind: "startTimer", timer: "announce", afterMs: announceIntervalMs });
}

/** Divides records among messages of limited size. Without records there is still one message, for the commit mark. */
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

export function appendOf(
  state: LogSyncState,
  role: Leading,
  prevZxid: Zxid,
  records: readonly Uint8Array[],
): LogSyncPeerMessage {
  const last = records.at(-1);
  return {
    kind: "append",
    epoch: role.epoch,
    leader: state.options.server,
    prevZxid,
    committed: state.delivery.committed,
    records,
    admission: role.admission,
    asks: last === undefined ? undefined : asksOf(state, role, recordHeader(last).lastZxid),
  };
}
