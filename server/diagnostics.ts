/**
 * What a node does, told through Node's `diagnostics_channel`: to traces, metrics and logs of the process that it lives in. Nothing is made
 * for a channel that nobody listens to. A channel is of one thread, so what lanes with threads of their own measure is not heard.
 *
 * - `zooid:server:event`: an event of the node's log, whatever its level. Messages: InspectionEvent.
 * - `zooid:server:measure`: a measurement of the main thread, of a node with an admin server. Messages: `MeasureTrace`.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import type { ServerId } from "../protocol/ids.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";

export type MeasureTrace = {
  readonly node: ServerId;
  /** `stage.quorum`, `fsync`, `phase.vote` and so on: the measures of docs/operations/metrics.md. */
  readonly measure: string;
  /** Milliseconds of a duration; it has just ended. Otherwise a number of operations, messages or bytes. */
  readonly value: number;
};

const EVENTS: Channel = channel("zooid:server:event");
const MEASURES: Channel = channel("zooid:server:measure");

export function traceEvent(event: InspectionEvent): void {
  if (EVENTS.hasSubscribers) EVENTS.publish(event);
}

export function traceMeasure(node: ServerId, measure: string, value: number): void {
  if (!MEASURES.hasSubscribers) return;
  const trace: MeasureTrace = { node, measure, value };
  MEASURES.publish(trace);
}
