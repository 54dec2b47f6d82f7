/** Has the admin actor know what the node's log says of elections, with the times of the log. */
import type { ElectionEvent } from "../actors/admin/messages.ts";
import type { ActorSystem } from "../runtime/system.ts";

/** The only step that is in no log. */
const STARTED: ElectionEvent = "started";
const EVENTS: ReadonlySet<string> = new Set<Exclude<ElectionEvent, "started">>([
  "looking",
  "elected",
  "establishing",
  "leading",
  "following",
  "deposed",
  "handingOver",
  "takingOver",
  "handedOver",
  "handoverFailed",
]);

/** From now on, until the system ends. A node that starts looks for a leader. */
export function reportElections(system: ActorSystem): void {
  const at = { kind: "electionStep", atMs: Date.now() } as const;
  system.tell("admin", { ...at, event: STARTED, detail: {} });
  system.inspection$.subscribe((said) => {
    if (said.kind !== "log" || !EVENTS.has(said.event)) return;
    const { event, atMs, detail } = said;
    system.tell("admin", {
      kind: "electionStep",
      event: event as ElectionEvent,
      ...{ atMs, detail },
    });
  });
}
