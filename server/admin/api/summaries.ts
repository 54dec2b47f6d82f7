/** Summaries of a change stream, as server-sent events: for whoever only wants to know what to look at again. */
import type { ChangeEvent } from "../../../protocol/changes.ts";
import { API_SUMMARY_PATHS_MAX } from "../../../protocol/limits.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { eventText, gapText, Reading } from "./event-stream.ts";

export type SummaryOptions = {
  readonly from: Zxid | undefined;
  readonly everyMs: number;
  readonly signal: AbortSignal;
};

/**
 * One `summary` in `everyMs` in the place of the changes: how many there were, and where. So a reader that only wants to know what to look at
 * again costs little, however much is written. As long as nothing changes nothing is sent.
 */
export async function* summariesOf(
  changes: AsyncIterable<ChangeEvent>,
  { from, everyMs, signal }: SummaryOptions,
): AsyncGenerator<string, void, undefined> {
  using reading = new Reading(changes, from, signal);
  using due = new Due(everyMs);
  let summary = new Summary();
  let next = reading.next();
  for (;;) {
    const event = await due.before(next);
    if (signal.aborted) return;
    if (event === "due") {
      // The last transaction may have more changes yet, which come again for whoever goes on from here.
      yield eventText("summary", reading.sent, summary.data);
      summary = new Summary();
      continue;
    }
    const { done, value } = event;
    if (done === true) return;
    if (value.kind === "compacted") {
      yield gapText(value.oldest);
      return;
    }
    reading.saw(value);
    if (value.kind !== "progress") {
      summary.add(value);
      due.begin();
    }
    next = reading.next();
  }
}

/** A time that passes beside a promise. Unlike `Promise.race` with one that settles late, it keeps nothing of those that came before. */
class Due implements Disposable {
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #wake: () => void = () => undefined;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** The time begins, unless it has. */
  begin(): void {
    this.#timer ??= setTimeout(() => {
      this.#isDue = true;
      this.#wake();
    }, this.#everyMs).unref();
  }

  /** "due": the time was over first. It may begin again. */
  async before<Value>(promise: Promise<Value>): Promise<Value | "due"> {
    const first = Promise.withResolvers<Value | "due">();
    this.#wake = () => first.resolve("due");
    if (this.#isDue) this.#wake();
    promise.then(first.resolve, first.reject);
    const what = await first.promise;
    if (what === "due") {
      this.#isDue = false;
      this.#timer = undefined;
    }
    return what;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

class Summary {
  zxid: Zxid = ZXID_NONE;
  #changes = 0;
  #unlisted = 0;
  readonly #paths = new Set<string>();

  add({ path, zxid }: { readonly path: string; readonly zxid: Zxid }): void {
    this.zxid = zxid;
    this.#changes += 1;
    if (this.#paths.has(path)) return;
    if (this.#paths.size < API_SUMMARY_PATHS_MAX) this.#paths.add(path);
    else this.#unlisted += 1;
  }

  get data(): object {
    const { zxid } = this;
    const [changes, unlisted] = [this.#changes, this.#unlisted];
    return { zxid: formatZxid(zxid), changes, paths: [...this.#paths], unlisted };
  }
}
