/** How a leader sends a follower what it has missed: records out of memory, records out of the log, or a snapshot. */
import type { ServerId } from "../../protocol/ids.ts";
import { recordHeader } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { tell } from "../inboxes.ts";
import { sendTo } from "./effects.ts";
import { awaitsRead, type Follower, isNews, stepAfter } from "./progress.ts";
import { appendOf } from "./publish.ts";
import type { Leading } from "./roles.ts";
import { offerSnapshot } from "./snapshots/send.ts";
import type { LogSyncTurn } from "./state.ts";

/** A follower has reported that its log ends at `holds`. */
export function receiveBehind(turn: LogSyncTurn, role: Leading, from: ServerId, holds: Zxid): void {
  const { index } = turn.state.log;
  const follower = role.followers.get(from);
  if (follower === undefined) return;
  if (holds < index.base) {
    follower.replication = { kind: "installingSnapshot" };
    offerSnapshot(turn, role.epoch, from);
    return;
  }
  const after = index.floor(holds);
  if (isNews(follower.replication, after, turn.nowMs)) {
    sendFollowing(turn, role, { to: from, follower, after });
  }
}

/** A follower has acknowledged everything up to `accepted`: sends it the next records, if it is being caught up. */
export function continueCatchUp(
  turn: LogSyncTurn,
  role: Leading,
  { from, follower, accepted }: { from: ServerId; follower: Follower; accepted: Zxid },
): void {
  const step = stepAfter(follower.replication, accepted, turn.state.log.index.tail);
  if (step?.kind === "send") sendFollowing(turn, role, { to: from, follower, after: step.after });
  else if (step !== undefined) follower.replication = step;
}

/** Sends the records after `after` that are in memory, or has them read from the log. */
function sendFollowing(
  turn: LogSyncTurn,
  role: Leading,
  { to, follower, after }: { to: ServerId; follower: Follower; after: Zxid },
): void {
  const { state, effects, nowMs: atMs } = turn;
  const { index, recent } = state.log;
  const { catchUp: bytesMax } = state.sizes;
  const records: Uint8Array[] = [];
  let bytes = 0;
  let through = after;
  for (let next = index.next(through); next !== undefined; next = index.next(through)) {
    const record = recent.get(next);
    if (record === undefined || (bytes > 0 && bytes + record.length > bytesMax)) break;
    records.push(record);
    bytes += record.length;
    through = next;
  }
  if (records.length === 0 && through < index.tail) {
    follower.replication = { kind: "readingLog", from: after, atMs };
    effects.push(tell("log", { kind: "read", purpose: { kind: "catchUp", to }, after, bytesMax }));
    return;
  }
  follower.replication = { kind: "replaying", from: after, next: through, atMs };
  sendTo(turn, to, appendOf(state, role, after, records));
}

/**
 * Sends a follower the records that the log has read for it. Records of a read that a later one has replaced are not sent: the follower
 * would acknowledge them, and that would cause one more read.
 */
export function sendRead(
  turn: LogSyncTurn,
  role: Leading,
  { to, after, records }: { to: ServerId; after: Zxid; records: readonly Uint8Array[] },
): void {
  const follower = role.followers.get(to);
  const last = records.at(-1);
  if (follower === undefined || last === undefined) return;
  const { replication } = follower;
  if (replication.kind !== "readingLog" || !awaitsRead(replication, after)) return;
  const { from, atMs } = replication;
  const { lastZxid: next } = recordHeader(last);
  follower.replication = { kind: "replaying", from, next, atMs };
  sendTo(turn, to, appendOf(turn.state, role, after, records));
}
