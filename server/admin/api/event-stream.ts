/**
 * A change stream as server-sent events. The id of an event is a zxid up to which everything has been sent before it, so that who comes again with it as
 * `Last-Event-ID` misses nothing; the changes of one more zxid may come twice. Nothing is fetched for a client that does not take in what it has.
 */
import type { ChangeEvent } from "../../../protocol/changes.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { Changes } from "../../change-streams.ts";
import { statJson } from "./json.ts";

/** Until the signal aborts, or the stream ends, behind a `gap` or with the node. */
export async function* eventsOf(
  changes: Changes,
  from: Zxid | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const iterator = changes[Symbol.asyncIterator]();
  // A generator that waits is not ended from outside, and what it waits for is.
  const end = (): void => void iterator.return?.();
  signal.addEventListener("abort", end, { once: true });
  let sent = from ?? ZXID_NONE;
  let latest = sent;
  try {
    // The headers, and with them the news that the stream is open, leave at once.
    yield ": open\n\n";
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true || signal.aborted) return;
      if (value.kind === "compacted") {
        yield eventText("gap", value.oldest, { oldest: formatZxid(value.oldest) });
        return;
      }
      if (value.zxid > latest) sent = latest;
      latest = value.zxid;
      if (value.kind === "progress") sent = value.zxid;
      yield eventText(value.kind === "progress" ? "progress" : "change", sent, dataOf(value));
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

/** Without values: who wants one asks for the znode. */
function dataOf(event: Exclude<ChangeEvent, { readonly kind: "compacted" }>): object {
  if (event.kind === "progress") return { zxid: formatZxid(event.zxid) };
  const { kind, path, zxid, index, stat } = event;
  return { kind, path, zxid: formatZxid(zxid), index, stat: statJson(stat) };
}

/** An id of nothing would have the client forget the one that it has. */
function eventText(name: string, id: Zxid, data: object): string {
  const line = id === ZXID_NONE ? "" : `id: ${formatZxid(id)}\n`;
  return `event: ${name}\n${line}data: ${JSON.stringify(data)}\n\n`;
}
