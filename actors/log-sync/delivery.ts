/** The commit mark and the delivery: committed records go to the trees in order, each once, out of memory or, if older, out of the log. */
import { emit } from "../topics.ts";
import { assert } from "../../protocol/assert.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { settleThrough } from "./ensemble/membership.ts";
import type { LogSyncTurn } from "./state.ts";

/** Moves the commit mark. It never passes what is durable on this node, so the trees never run ahead of the disk. */
export function commitThrough(turn: LogSyncTurn, zxid: Zxid): void {
  const { state } = turn;
  if (zxid <= state.delivery.committed) return;
  assert(zxid <= state.log.durable, "what is applied here is durable here");
  assert(state.log.index.holds(zxid), "a commit mark is the end of a record of this log");
  state.delivery.committed = zxid;
  settleThrough(turn, zxid);
  deliver(turn);
}

/** Delivers what is committed and in memory, and has the log read what is not. */
export function deliver(turn: LogSyncTurn): void {
  const { state } = turn;
  if (state.delivery.lanesLoading.size > 0) return;
  const records: Uint8Array[] = [];
  let through = state.delivery.delivered;
  while (through < state.delivery.committed) {
    const next = state.log.index.next(through);
    assert(next !== undefined, "what is committed is in the log");
    const record = state.log.recent.get(next);
    if (record === undefined) break;
    records.push(record);
    through = next;
  }
  emitCommitted(turn, records);
  if (state.delivery.delivered < state.delivery.committed && !state.delivery.reading) {
    state.delivery.reading = true;
    turn.effects.push(
      tell("log", {
        kind: "read",
        purpose: { kind: "delivery" },
        after: state.delivery.delivered,
        bytesMax: state.sizes.catchUp,
      }),
    );
  }
}

/** Delivers records that the log has read. Some may not be committed, and others may have been delivered meanwhile. */
export function deliverRead(turn: LogSyncTurn, records: readonly Uint8Array[]): void {
  const { state } = turn;
  state.delivery.reading = false;
  if (state.delivery.lanesLoading.size > 0) return;
  emitCommitted(
    turn,
    records.filter((record) => {
      const { lastZxid } = recordHeader(record);
      return lastZxid > state.delivery.delivered && lastZxid <= state.delivery.committed;
    }),
  );
  deliver(turn);
}

function emitCommitted(turn: LogSyncTurn, records: readonly Uint8Array[]): void {
  const { state } = turn;
  if (records.length === 0) return;
  for (const record of records) {
    const header = recordHeader(record);
    assert(header.prevZxid === state.delivery.delivered, "records are delivered without a gap");
    state.delivery.delivered = header.lastZxid;
    if (header.submitter !== undefined)
      state.delivery.submitters.take(header.submitter, header.seq);
  }
  turn.effects.push(emit("committed", { kind: "committed", records }));
}
