/** Gathers a part of the answer to a four-letter word: entries in groups, up to so many bytes. Further ones are only counted. */
import type { Group, Part } from "./admin/messages.ts";

/** What stands around an entry: a tabulator and the end of the line. */
const AROUND_BYTES = 2;

const SECOND_MS = 1000;

/** The whole second that a time is in or before: what ends then is listed together. */
export function wholeSecondMs(ms: number): number {
  return Math.ceil(ms / SECOND_MS) * SECOND_MS;
}

export class Listing {
  readonly #groups = new Map<string | number, string[]>();
  #bytesLeft: number;
  #omitted = 0;

  constructor(bytesMax: number) {
    this.#bytesLeft = bytesMax;
  }

  /** Whether no entry has a place any more. */
  get isFull(): boolean {
    return this.#bytesLeft <= 0;
  }

  add(name: Group["name"], entry: string): void {
    const bytes = entry.length + AROUND_BYTES;
    if (bytes > this.#bytesLeft) {
      this.#bytesLeft = 0;
      this.#omitted += 1;
      return;
    }
    this.#bytesLeft -= bytes;
    const group = this.#groups.get(name);
    if (group !== undefined) {
      group.push(entry);
      return;
    }
    this.#bytesLeft -= String(name).length + AROUND_BYTES;
    this.#groups.set(name, [entry]);
  }

  /** So many further entries are not looked at. */
  omit(count: number): void {
    this.#omitted += count;
  }

  get content(): Pick<Part, "groups" | "omitted"> {
    const groups = [...this.#groups].map(([name, entries]) => ({ name, entries }));
    return { groups, omitted: this.#omitted };
  }
}
