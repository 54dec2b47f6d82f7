/** Events of connections to NATS, for the inspection stream. */
import type { ServerId } from "../protocol/ids.ts";
import type { NatsConnectionName } from "../actors/admin/messages.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";
import { realClock } from "../runtime/real-clock.ts";
import type { NatsLog } from "../runtime/nats/link.ts";

/** The topic under which the admin actor is told the status of a connection, so that it is told again when it starts again. */
export function natsTopic(connection: NatsConnectionName): string {
  return `nats ${connection}`;
}

export function natsLog(
  node: ServerId,
  say: (event: InspectionEvent) => void,
  lane?: number,
): NatsLog {
  const actor = lane === undefined ? "nats" : `nats-clients/${lane}`;
  return (level, event, detail) => {
    say({ kind: "log", atMs: realClock.wallMs(), node, actor, level, event, detail });
  };
}
