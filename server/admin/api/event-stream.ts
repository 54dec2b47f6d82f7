/**
 * A change stream as server-sent events. The id of an event is a zxid up to which everything has been sent before it, so that who comes again with it as
 * `Last-Event-ID` misses nothing; the changes of one more zxid may come twice. Nothing is fetched for a client that does not take in what it has.
 */
import type { ChangeEvent } from "../../../protocol/changes.ts";
import { API_SUMMARY_PATHS_MAX } from "../../../protocol/limits.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { statJson } from "./json.ts";

/** Until the signal aborts, or the stream ends, behind a `gap` or with the node. */
export async function* eventsOf(
  changes: AsyncIterable<ChangeEvent>,
  from: Zxid | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  using reading = new Reading(changes, from, signal);
  yield OPEN;
  for (;;) {
    const { done, value } = await reading.next();
    if (done === true || signal.aborted) return;
    if (value.kind === "compacted") {
      yield gapText(value.oldest);
      return;
    }
    reading.saw(value);
    const name = value.kind === "progress" ? "progress" : "change";
    yield eventText(name, reading.sent, dataOf(value));
  }
}

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
      summary.add(value);
      due.begin();
    }
    next = reading.next();
  }
}

/** What a stream gives, until the signal aborts: a generator that waits is not ended from outside, and what it waits for is. */
class Reading implements Disposable {
  /** All changes up to this zxid came before the last one that was seen. */
  sent: Zxid;
  #latest: Zxid;
  readonly #iterator: AsyncIterator<ChangeEvent>;
  readonly #signal: AbortSignal;

  constructor(changes: AsyncIterable<ChangeEvent>, from: Zxid | undefined, signal: AbortSignal) {
    this.sent = from ?? ZXID_NONE;
    this.#latest = this.sent;
    this.#iterator = changes[Symbol.asyncIterator]();
    this.#signal = signal;
    signal.addEventListener("abort", this.#end, { once: true });
  }

  next(): Promise<IteratorResult<ChangeEvent>> {
    return this.#iterator.next();
  }

  saw({ kind, zxid }: Seen): void {
    if (zxid > this.#latest) this.sent = this.#latest;
    this.#latest = zxid;
    if (kind === "progress") this.sent = zxid;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    this.#end();
  }

  readonly #end = (): void => void this.#iterator.return?.();
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

export type SummaryOptions = {
  readonly from: Zxid | undefined;
  readonly everyMs: number;
  readonly signal: AbortSignal;
};

/** The headers, and with them the news that the stream is open, leave at once. */
const OPEN = ": open\n\n";

type Seen = Exclude<ChangeEvent, { readonly kind: "compacted" }>;

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

/** Without values: who wants one asks for the znode. */
function dataOf(event: Seen): object {
  if (event.kind === "progress") return { zxid: formatZxid(event.zxid) };
  const { kind, path, zxid, index, stat } = event;
  return { kind, path, zxid: formatZxid(zxid), index, stat: statJson(stat) };
}

function gapText(oldest: Zxid): string {
  return eventText("gap", oldest, { oldest: formatZxid(oldest) });
}

/** An id of nothing would have the client forget the one that it has. */
function eventText(name: string, id: Zxid, data: object): string {
  const line = id === ZXID_NONE ? "" : `id: ${formatZxid(id)}\n`;
  return `event: ${name}\n${line}data: ${JSON.stringify(data)}\n\n`;
}
