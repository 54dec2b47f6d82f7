/** The messages that are on their way between nodes at a moment of a recording, and where they are. */
import {
  MESSAGE_KINDS,
  type MessageKind,
  type RecordedMessages,
} from "../../../test/sim/recording/recording.ts";
import { countUntil } from "./moments.ts";

export type Flight = {
  readonly from: number;
  readonly to: number;
  readonly kind: MessageKind;
  readonly lost: boolean;
  readonly text: string;
  /** How much of its way is behind it: from 0 to 1. */
  readonly done: number;
};

/** A message that is lost as it is sent is shown for so long, in virtual time. */
export const LOST_SHOWN_MS = 5;
/** One that is lost comes no further than this. */
const LOST_AT = 0.5;
/** Further ones are counted and not drawn. */
export const FLIGHTS_MAX = 250;

export class Flights {
  readonly #messages: RecordedMessages;
  /** By message, until when at least one of those up to it is on its way. */
  readonly #latestMs: Float64Array;

  constructor(messages: RecordedMessages) {
    this.#messages = messages;
    let latest = 0;
    this.#latestMs = messages.sentMs.map((_, index) => {
      latest = Math.max(latest, this.#endOf(index));
      return latest;
    });
  }

  /** `more`: how many there are beside those that are returned. */
  at(
    atMs: number,
    kinds: ReadonlySet<MessageKind>,
  ): { readonly flights: readonly Flight[]; readonly more: number } {
    const { sentMs } = this.#messages;
    const flights: Flight[] = [];
    let more = 0;
    let index = countUntil(sentMs.length, (each) => sentMs[each] ?? 0, atMs) - 1;
    for (; index >= 0 && (this.#latestMs[index] ?? 0) > atMs; index -= 1) {
      if (this.#endOf(index) <= atMs) continue;
      const flight = this.#flightOf(index, atMs);
      if (!kinds.has(flight.kind)) continue;
      if (flights.length < FLIGHTS_MAX) flights.push(flight);
      else more += 1;
    }
    return { flights, more };
  }

  #endOf(index: number): number {
    const { sentMs, endMs, lost } = this.#messages;
    const end = endMs[index] ?? 0;
    return lost[index] === 1 ? Math.max(end, (sentMs[index] ?? 0) + LOST_SHOWN_MS) : end;
  }

  #flightOf(index: number, atMs: number): Flight {
    const { sentMs, from, to, kind, lost, text, texts } = this.#messages;
    const sent = sentMs[index] ?? 0;
    const isLost = lost[index] === 1;
    const done = (atMs - sent) / (this.#endOf(index) - sent);
    return {
      from: from[index] ?? 0,
      to: to[index] ?? 0,
      kind: MESSAGE_KINDS[kind[index] ?? 0] ?? "nobody",
      lost: isLost,
      text: texts[text[index] ?? 0] ?? "",
      done: isLost ? done * LOST_AT : done,
    };
  }
}
