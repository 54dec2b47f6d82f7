/** Reads what nodes report during a run: failures, and messages of peers that they refused. */
import { isPlanted } from "../sim-node.ts";
import type { InspectionEvent } from "../../../runtime/inspection.ts";
import { Violation } from "./violation.ts";

const MALFORMED = "malformedPeerMessage";

/** Returns a line for the notes of the run; undefined if the event is not noted. */
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

/** Throws a violation if an actor fails, or if a node refuses a message of an honest node, or is contradicted by one. */
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
