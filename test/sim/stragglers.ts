/** Messages between nodes that come late, or again: what was right when it was said is wrong when it is heard. */
import type { LogSyncPeerMessage } from "../../actors/log-sync/messages.ts";
import { decodeFrame } from "../../protocol/peer-frame.ts";
import type { Straggle } from "./network.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** The kinds of messages about where a log ends, and of snapshots. They are few among many that are repeated anyway. */
const KINDS: ReadonlySet<string> = new Set<LogSyncPeerMessage["kind"]>([
  "accepted",
  "behind",
  "promiseReply",
  "promiseRequest",
  "askChunk",
  "snapshotOffer",
  "snapshotChunk",
  "survey",
  "surveyed",
]);

export function stragglers({ stragglers: { rate, lateMs } }: Plan, random: Random): Straggle {
  const inTime = [0];
  if (rate === 0) return () => inTime;
  return (actor, bytes) => {
    if (actor !== "log-sync") return inTime;
    const frame = decodeFrame(bytes);
    if ("fault" in frame || frame.kind !== "message") return inTime;
    if (!KINDS.has(kindOf(frame.body)) || !random.chance(rate)) return inTime;
    const lateAt = random.between(lateMs);
    // Mostly the message comes in time as well: an ensemble in which every message is late does nothing.
    return random.chance(0.2) ? [lateAt] : [0, lateAt];
  };
}

const CBOR_TEXT = 0x60;

/** It stands first in the map, so the rest of a message, which may be long, need not be decoded. */
function kindOf(body: Uint8Array): string {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(64, body.length));
  const at = start.indexOf("kind") + "kind".length;
  return start.toString("latin1", at + 1, at + 1 + (start[at] ?? CBOR_TEXT) - CBOR_TEXT);
}
