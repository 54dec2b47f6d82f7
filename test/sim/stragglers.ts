/** Messages between nodes that come late, or again: what was right when it was said is wrong when it is heard. */
import type { LogSyncPeerMessage } from "../../actors/log-sync/messages.ts";
import { decodeCbor, PEER_CBOR } from "../../protocol/cbor.ts";
import { decodeFrame } from "../../protocol/peer-frame.ts";
import type { Straggle } from "./network.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "./random.ts";

/** Words about where a log stands, and of snapshots: few among the many that repeat themselves. */
const KINDS: ReadonlySet<string> = new Set<LogSyncPeerMessage["kind"]>([
  "accepted",
  "behind",
  "promiseReply",
  "promiseRequest",
  "snapshotAsk",
  "snapshotOffer",
  "snapshotPart",
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
    const { kind } = decodeCbor(frame.body, PEER_CBOR) as { readonly kind: string };
    if (!KINDS.has(kind) || !random.chance(rate)) return inTime;
    const lateAt = random.between(lateMs);
    // Mostly it comes in time as well: an ensemble in which every word is late does nothing.
    return random.chance(0.2) ? [lateAt] : [0, lateAt];
  };
}
