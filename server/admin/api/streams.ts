/** The change streams of the API: what may be asked for, and how many are open. */
import { checkPath } from "../../../protocol/arguments.ts";
import type { ChangeEvent } from "../../../protocol/changes.ts";
import {
  API_STREAMS_MAX,
  API_SUMMARY_MS_MAX,
  API_SUMMARY_MS_MIN,
} from "../../../protocol/limits.ts";
import type { ChangesOptions } from "../../change-streams.ts";
import type { HttpReply, HttpRequest } from "../http-server.ts";
import { eventsOf } from "./event-stream.ts";
import { errorReply, zxidIn } from "./json.ts";
import { SharedTexts } from "./shared-texts.ts";
import type { SummaryOptions, Wish } from "./summaries.ts";

export type StreamsOf = {
  readonly changes: (path: string, options: ChangesOptions) => AsyncIterable<ChangeEvent>;
  readonly summaries: (wish: Wish, options: SummaryOptions) => AsyncIterable<string>;
};

export class ApiStreams {
  readonly #of: StreamsOf;
  readonly #summaries = new SharedTexts();
  #open = 0;

  constructor(of: StreamsOf) {
    this.#of = of;
  }

  answer({ query, lastEventId }: HttpRequest): HttpReply {
    const fromText = lastEventId ?? query.get("from");
    const from = fromText === null ? undefined : zxidIn(fromText);
    const recursive = query.get("recursive") ?? "false";
    if (fromText !== null && from === undefined) {
      return errorReply(
        400,
        "ZOOID_BAD_ARGUMENTS",
        "a stream begins after a zxid, such as 0x100000001",
      );
    }
    if (recursive !== "true" && recursive !== "false") {
      return errorReply(400, "ZOOID_BAD_ARGUMENTS", "recursive is true or false");
    }
    const everyMs = query.has("every") ? summaryMsIn(query.get("every") ?? "") : undefined;
    if (query.has("every") && everyMs === undefined) {
      const rule = `every is a number of milliseconds from ${API_SUMMARY_MS_MIN} to ${API_SUMMARY_MS_MAX}`;
      return errorReply(400, "ZOOID_BAD_ARGUMENTS", rule);
    }
    if (this.#open >= API_STREAMS_MAX) {
      return errorReply(
        503,
        "ZOOID_TOO_MANY_STREAMS",
        `there are ${API_STREAMS_MAX} streams already`,
      );
    }
    const path = query.get("path") ?? "/";
    checkPath(path);
    const below = recursive === "true";
    const make = (signal: AbortSignal): AsyncIterable<string> => {
      if (everyMs !== undefined)
        return this.#of.summaries({ path, below }, { from, everyMs, signal });
      const wish = { recursive: below, progress: true, ...(from !== undefined && { from }) };
      return eventsOf(this.#of.changes(path, wish), from, signal);
    };
    // Whoever wants summaries from now on is told the same as all others who do.
    const isShared = everyMs !== undefined && from === undefined;
    const key = JSON.stringify([path, below, everyMs]);
    // The answer may wait behind those before it on the connection, and counts from now on.
    this.#open += 1;
    return {
      status: 200,
      body: "",
      events: (signal) => (isShared ? this.#summaries.read(key, make, signal) : make(signal)),
      over: () => {
        this.#open -= 1;
      },
    };
  }
}

/** Undefined: it is none. */
function summaryMsIn(text: string): number | undefined {
  const ms = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return ms >= API_SUMMARY_MS_MIN && ms <= API_SUMMARY_MS_MAX ? ms : undefined;
}
