/**
 * A change stream as server-sent events. The id of an event is a zxid up to which everything has been sent before it, so that who comes again with it as
 * `Last-Event-ID` misses nothing; the changes of one more zxid may come twice. Nothing is fetched for a client that does not take in what it has.
 */
import type { ChangeEvent } from "../../../protocol/changes.ts";
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

/** What a stream gives, until the signal aborts: a generator that waits is not ended from outside, and what it waits for is. */
export class Reading implements Disposable {
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

type Seen = Exclude<ChangeEvent, { readonly kind: "compacted" }>;

/** The headers, and with them the news that the stream is open, leave at once. */
export const OPEN = ": open\n\n";

/** Without values: who wants one asks for the znode. */
function dataOf(event: Seen): object {
  if (event.kind === "progress") return { zxid: formatZxid(event.zxid) };
  const { kind, path, zxid, index, stat } = event;
  return { kind, path, zxid: formatZxid(zxid), index, stat: statJson(stat) };
}

export function gapText(oldest: Zxid): string {
  return eventText("gap", oldest, { oldest: formatZxid(oldest) });
}

/** An id of nothing would have the client forget the one that it has. */
export function eventText(name: string, id: Zxid, data: object): string {
  const line = id === ZXID_NONE ? "" : `id: ${formatZxid(id)}\n`;
  return `event: ${name}\n${line}data: ${JSON.stringify(data)}\n\n`;
}
