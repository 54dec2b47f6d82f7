/** Commit mark and delivery: committed records go out in order, each once, from memory or, older ones, from the log. */
import { emit } from "../topics.ts";
import { assert } from "../../protocol/assert.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { settleThrough } from "./membership.ts";
import type { LogSyncTurn } from "./state.ts";

/** Tag of reads for delivery; a follower's id tags reads for its catch-up. */
export const DELIVERY_TAG = -1;

/** Moves the commit mark. Only what is durable here is applied here, so memory never runs ahead of the disk. */
export function commitThrough(turn: LogSyncTurn, zxid: Zxid): void {
  const { state } = turn;
  if (zxid <= state.committed) return;
  assert(zxid <= state.durable, "what is applied here is durable here");
  assert(state.index.holds(zxid), "a commit mark is the end of a record of this log");
  state.committed = zxid;
  settleThrough(turn, zxid);
  deliver(turn);
}

export function deliver(turn: LogSyncTurn): void {
  const { state } = turn;
  if (state.lanesLoading.size > 0) return;
  const records: Uint8Array[] = [];
  let through = state.delivered;
  while (through < state.committed) {
    const next = state.index.next(through);
    assert(next !== undefined, "what is committed is in the log");
    const record = state.recent.get(next);
    if (record === undefined) break;
    records.push(record);
    through = next;
  }
  emitCommitted(turn, records);
  if (state.delivered < state.committed && !state.readingForDelivery) {
    state.readingForDelivery = true;
    turn.effects.push(
      tell("log", {
        kind: "read",
        tag: DELIVERY_TAG,
        after: state.delivered,
        bytesMax: state.sizes.catchUp,
      }),
    );
  }
}

/** Records read from the log for delivery. The log may hold more than is committed. */
export function deliverRead(turn: LogSyncTurn, records: readonly Uint8Array[]): void {
  const { state } = turn;
  state.readingForDelivery = false;
  if (state.lanesLoading.size > 0) return;
  emitCommitted(
    turn,
    records.filter((record) => {
      const { lastZxid } = recordHeader(record);
      return lastZxid > state.delivered && lastZxid <= state.committed;
    }),
  );
  deliver(turn);
}

function emitCommitted(turn: LogSyncTurn, records: readonly Uint8Array[]): void {
  const { state } = turn;
  if (records.length === 0) return;
  for (const record of records) {
    const header = recordHeader(record);
    assert(header.prevZxid === state.delivered, "records are delivered without a gap");
    state.delivered = header.lastZxid;
    if (header.submitter !== undefined) state.submitters.take(header.submitter, header.seq);
  }
  turn.effects.push(emit("committed", { kind: "committed", records }));
}
