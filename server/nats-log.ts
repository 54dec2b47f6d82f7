/** What connections to NATS have to say, as events of the inspection stream. */
import type { PeerId } from "../runtime/effects.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import { realClock } from "../runtime/real-clock.ts";
import type { NatsLog } from "../runtime/nats/link.ts";

export function natsLog(
  node: PeerId,
  say: (event: InspectionEvent) => void,
  lane?: number,
): NatsLog {
  const actor = lane === undefined ? "nats" : `nats-clients/${lane}`;
  return (level, event, detail) => {
    say({ kind: "log", atMs: realClock.wallMs(), node, actor, level, event, detail });
  };
}
