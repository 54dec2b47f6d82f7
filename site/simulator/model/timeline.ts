/** The events of a recording, and the messages if they are wanted, as one list over time: what stands around a moment, and what comes next. */
import {
  type EventKind,
  MESSAGE_KINDS,
  type MessageKind,
  type Recording,
} from "../../../test/sim/recording/recording.ts";
import { countUntil } from "./moments.ts";

export type Wanted = {
  readonly events: ReadonlySet<EventKind>;
  readonly messages: ReadonlySet<MessageKind>;
};

export type Entry = {
  /** Another one than that of any other entry. */
  readonly key: number;
  readonly atMs: number;
  readonly kind: EventKind | "message";
  readonly who: string;
  readonly text: string;
};

export class Timeline {
  readonly #recording: Recording;
  /** An event by its index, a message by -1 minus its index; by time. */
  readonly #keys: readonly number[];

  constructor(recording: Recording, wanted: Wanted) {
    this.#recording = recording;
    const { events, messages } = recording;
    const eventKeys = [...events.keys()].filter((index) => {
      const event = events[index];
      return event !== undefined && wanted.events.has(event.kind);
    });
    const kinds = MESSAGE_KINDS.map((kind) => wanted.messages.has(kind));
    const messageKeys = [...messages.kind.keys()]
      .filter((index) => kinds[messages.kind[index] ?? 0])
      .map((index) => -1 - index);
    const all = [...eventKeys, ...messageKeys];
    this.#keys = all.toSorted((one, other) => this.#timeOf(one) - this.#timeOf(other));
  }

  get length(): number {
    return this.#keys.length;
  }

  /** So many that are at this time or before it, and so many behind it, in their order. */
  around(
    atMs: number,
    of: { readonly before: number; readonly after: number },
  ): { readonly entries: readonly Entry[]; readonly past: number } {
    const middle = this.#countUntil(atMs);
    const from = Math.max(0, middle - of.before);
    const keys = this.#keys.slice(from, middle + of.after);
    return { entries: keys.map((key) => this.#entryOf(key)), past: middle - from };
  }

  /** When the next one is, or the one before. Undefined: there is none. */
  next(atMs: number): number | undefined {
    const key = this.#keys[this.#countUntil(atMs)];
    return key === undefined ? undefined : this.#timeOf(key);
  }

  previous(atMs: number): number | undefined {
    let index = this.#countUntil(atMs) - 1;
    for (; index >= 0; index -= 1) {
      const timeMs = this.#timeOf(this.#keys[index] ?? 0);
      if (timeMs < atMs) return timeMs;
    }
    return undefined;
  }

  #countUntil(atMs: number): number {
    return countUntil(this.#keys.length, (index) => this.#timeOf(this.#keys[index] ?? 0), atMs);
  }

  #timeOf(key: number): number {
    const { events, messages } = this.#recording;
    return (key < 0 ? messages.sentMs[-1 - key] : events[key]?.atMs) ?? 0;
  }

  #entryOf(key: number): Entry {
    const { events, messages } = this.#recording;
    const atMs = this.#timeOf(key);
    if (key < 0) {
      const index = -1 - key;
      const arrow = messages.lost[index] === 1 ? "⇥" : "→";
      const who = `${messages.from[index]} ${arrow} ${messages.to[index]}`;
      const said = messages.texts[messages.text[index] ?? 0] ?? "";
      const text = messages.lost[index] === 1 ? `lost: ${said}` : said;
      return { key, atMs, kind: "message", who, text };
    }
    const event = events[key];
    const { kind = "node", who = "", text = "" } = event ?? {};
    return { key, atMs, kind, who, text };
  }
}
