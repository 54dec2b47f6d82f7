/** The change streams of the API: what may be asked for, and how many are open. */
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
import { summariesOf } from "./summaries.ts";

type ChangesOf = (path: string, options: ChangesOptions) => AsyncIterable<ChangeEvent>;

export class ApiStreams {
  readonly #changes: ChangesOf;
  readonly #summaries = new SharedTexts();
  #open = 0;

  constructor(changes: ChangesOf) {
    this.#changes = changes;
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
    const changes = this.#changes(path, {
      recursive: recursive === "true",
      progress: true,
      ...(from !== undefined && { from }),
    });
    // The answer may wait behind those before it on the connection, and counts from now on.
    this.#open += 1;
    return {
      status: 200,
      body: "",
      events: (signal) => {
        if (everyMs === undefined) return opened(eventsOf(changes, from, signal));
        const make = (ending: AbortSignal): AsyncIterable<string> =>
          summariesOf(changes, { from, everyMs, signal: ending });
        // Who begins now is told the same as all others who have.
        const key = JSON.stringify([path, recursive, everyMs]);
        return opened(from === undefined ? this.#summaries.read(key, make, signal) : make(signal));
      },
      over: () => {
        this.#open -= 1;
      },
    };
  }
}

/** The headers, and with them the news that the stream is open, leave at once. */
async function* opened(events: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  yield ": open\n\n";
  yield* events;
}

/** Undefined: it is none. */
function summaryMsIn(text: string): number | undefined {
  const ms = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return ms >= API_SUMMARY_MS_MIN && ms <= API_SUMMARY_MS_MAX ? ms : undefined;
}
