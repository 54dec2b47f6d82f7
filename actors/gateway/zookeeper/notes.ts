/** A client can cause log lines: each address gets one a second of a kind, with a count of how often it happened. */
import type { EventName } from "../../../protocol/events.ts";
import { logEvent } from "../../log-event.ts";
import { addressOf, type Output } from "./state.ts";

export type Note = {
  readonly event: EventName;
  readonly address: string;
  /** The latest reason. Reasons have the client's own numbers in them, so they do not tell lines apart. */
  reason: string;
  /** How often it has happened since the last line. */
  count: number;
};

const NOTES_INTERVAL_MS = 1000;
/** The number of addresses that have lines of their own in one interval; further ones share a line without an address. */
const NOTES_MAX = 1000;

/** The first event of its kind is logged at once, the others of the same second together. */
export function note(
  output: Output,
  event: EventName,
  remoteAddress: string,
  reason: string,
): void {
  const { notes } = output.state;
  const address = addressOf(remoteAddress);
  const key = `${event} ${address}`;
  const running = notes.get(key);
  if (running !== undefined) {
    running.count += 1;
    running.reason = reason;
    return;
  }
  if (notes.size === 0) startTimer(output);
  if (notes.size >= NOTES_MAX) {
    const shared = notes.get(event);
    if (shared !== undefined) shared.count += 1;
    else notes.set(event, { event, address: "many", reason: "many", count: 1 });
    return;
  }
  notes.set(key, { event, address, reason, count: 0 });
  output.effects.push(logEvent(event, { remoteAddress, reason }));
}

export function flushNotes(output: Output): void {
  const { notes } = output.state;
  for (const [key, noted] of notes) {
    const { event, address, reason, count } = noted;
    if (count === 0) {
      notes.delete(key);
      continue;
    }
    const detail = { remoteAddress: address, reason, count };
    output.effects.push(logEvent(event, detail));
    noted.count = 0;
  }
  if (notes.size > 0) startTimer(output);
}

function startTimer(output: Output): void {
  output.effects.push({ kind: "startTimer", timer: "notes", afterMs: NOTES_INTERVAL_MS });
}
