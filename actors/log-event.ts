/** A line for the log of a node. */
import { type EventName, EVENTS } from "../protocol/events.ts";
import type { EventDetail, LogEffect } from "../runtime/effects.ts";

export function logEvent(event: EventName, detail: EventDetail): LogEffect {
  return { kind: "log", level: EVENTS[event].level, event, detail };
}
