/** The change streams of one connection, as its frames tell of them: neither side may overdraw the credits. */
import type { ClientItem, GatewayItem } from "../../../protocol/native.ts";
import { must } from "../checks/violation.ts";
import type { StreamCounts } from "./streams.ts";

type WireStream = {
  credits: number;
  /** More changes came than the credits allow, which is right only if `compacted` follows. */
  overdrawn: boolean;
  /** `compacted` has come. What the client has said before it read that may still be a credit: they cross. */
  ended: boolean;
};

export class WireStreams {
  readonly #who: string;
  readonly #window: number;
  readonly #counts: StreamCounts;
  readonly #streams = new Map<number, WireStream>();

  /** `window`: how many changes may be under way to one stream. */
  constructor(who: string, window: number, counts: StreamCounts) {
    this.#who = who;
    this.#window = window;
    this.#counts = counts;
  }

  says(
    item: Extract<ClientItem, { readonly kind: "openStream" | "credit" | "closeStream" }>,
  ): void {
    if (item.kind === "closeStream") {
      this.#streams.delete(item.stream);
      return;
    }
    if (item.kind === "openStream") {
      must(!this.#streams.has(item.stream), "change streams", () => {
        return `${this.#who}: opens stream ${item.stream} twice`;
      });
      this.#streams.set(item.stream, { credits: 0, overdrawn: false, ended: false });
    }
    const stream = this.#streams.get(item.stream);
    must(stream !== undefined, "change streams", () => {
      return `${this.#who}: grants changes to stream ${item.stream}, which it has not open`;
    });
    if (item.kind === "credit" && stream.credits <= 0) this.#counts.paused += 1;
    stream.credits += item.credits;
    must(stream.credits <= this.#window, "change streams", () => {
      return `${this.#who}: grants stream ${item.stream} ${stream.credits} changes, at most ${this.#window} may be under way`;
    });
  }

  hears(item: Extract<GatewayItem, { readonly kind: "changes" | "compacted" }>): void {
    const stream = this.#streams.get(item.stream);
    if (stream === undefined) return;
    must(!stream.ended, "change streams", () => {
      return `${this.#who}: hears ${item.kind} of stream ${item.stream}, which is compacted`;
    });
    if (item.kind === "compacted") {
      stream.ended = true;
      return;
    }
    if (item.changes.length > 0) stream.overdrawn ||= stream.credits <= 0;
    stream.credits -= item.changes.length;
  }

  /** A whole frame has been heard. */
  heardAll(): void {
    for (const [number, { overdrawn, ended }] of this.#streams) {
      must(
        ended || !overdrawn,
        "change streams",
        () => `${this.#who}: stream ${number} is sent too much`,
      );
    }
  }
}
