/** What nodes say of themselves while a run goes on: failures, and messages of peers that they refused. */
import { isPlanted } from "../sim-node.ts";
import type { InspectionEvent } from "../../../runtime/inspection.ts";
import { Violation } from "./violation.ts";

const MALFORMED = "malformedPeerMessage";

/** A line for the notes of the run; undefined: not worth one. */
export function inspectionLine(event: InspectionEvent): string | undefined {
  switch (event.kind) {
    case "log":
      if (event.level === "debug") return undefined;
      return `${event.actor} ${event.event} ${JSON.stringify(event.detail)}`;
    case "failed":
      return `${event.actor} failed on ${event.message}: ${event.error}`;
    default:
      return undefined;
  }
}

/** No actor fails, and no node refuses or is contradicted by what an honest one says. Throws a violation. */
export function checkInspection(
  node: number,
  event: InspectionEvent,
  heardStranger: boolean,
): void {
  if (event.kind === "failed") {
    if (isPlanted(event.error)) return;
    throw new Violation("no crash", `node ${node}: ${event.actor} failed: ${event.error}`);
  }
  if (event.kind !== "log" || (heardStranger && event.event === MALFORMED)) return;
  if (REFUSALS.includes(event.event)) {
    throw new Violation("peers", `node ${node}: ${event.event} ${JSON.stringify(event.detail)}`);
  }
}

/** The events about messages that no honest node sends. */
const REFUSALS: readonly string[] = [MALFORMED, "peerContradiction"];
