/** Summaries made of a change stream, for servers that cannot be asked where something has changed. */
import type { ChangeEvent } from "../../protocol/changes.ts";
import { eventText, gapText, OPEN, Reading } from "../../server/admin/api/event-stream.ts";
import { Summary, type SummaryOptions } from "../../server/admin/api/summaries.ts";

/** One `summary` in `everyMs` in the place of the changes. As long as nothing changes nothing is sent. */
export async function* summariesOf(
  changes: AsyncIterable<ChangeEvent>,
  { from, everyMs, signal }: SummaryOptions,
): AsyncGenerator<string, void, undefined> {
  using reading = new Reading(changes, from, signal);
  using due = new Due(everyMs);
  let summary = new Summary();
  yield OPEN;
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
      summary.add([value.path], 1, value.zxid);
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
    }, this.#everyMs);
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
