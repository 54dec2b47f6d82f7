/** How an actor writes an event to its node's log, at the level that `protocol/events.ts` gives to this event. */
import { type EventName, EVENTS } from "../protocol/events.ts";
import type { EventDetail, LogEffect } from "../runtime/effects.ts";

export function logEvent(event: EventName, detail: EventDetail): LogEffect {
  return { kind: "log", level: EVENTS[event].level, event, detail };
}
