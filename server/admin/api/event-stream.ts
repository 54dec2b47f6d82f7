/**
 * A change stream as server-sent events. The id of an event is a zxid up to which everything has been sent before it, so that who comes again with it as
 * `Last-Event-ID` misses nothing; the changes of one more zxid may come twice. Nothing is fetched for a client that does not take in what it has.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { ChangeEvent } from "../../../protocol/changes.ts";
import { API_SUMMARY_PATHS_MAX } from "../../../protocol/limits.ts";
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

/**
 * One `summary` in `everyMs` in the place of the changes: how many there were, and where. So a reader that only wants to know what to look at
 * again costs little, however much is written. As long as nothing changes nothing is sent.
 */
export async function* summariesOf(
  changes: Changes,
  { from, everyMs, signal }: SummaryOptions,
): AsyncGenerator<string, void, undefined> {
  const iterator = changes[Symbol.asyncIterator]();
  const end = (): void => void iterator.return?.();
  signal.addEventListener("abort", end, { once: true });
  let sent = from ?? ZXID_NONE;
  let summary = new Summary();
  let due: Promise<"due"> | undefined;
  try {
    yield ": open\n\n";
    let next = iterator.next();
    for (;;) {
      const event = await (due === undefined ? next : Promise.race([next, due]));
      if (signal.aborted) return;
      if (event === "due") {
        // The last transaction may have more changes yet, which come again for whoever goes on from here.
        yield eventText("summary", sent, summary.data);
        [summary, due] = [new Summary(), undefined];
        continue;
      }
      const { done, value } = event;
      if (done === true) return;
      if (value.kind === "compacted") {
        yield eventText("gap", value.oldest, { oldest: formatZxid(value.oldest) });
        return;
      }
      if (value.kind === "progress") {
        sent = value.zxid;
      } else {
        if (value.zxid > summary.zxid && summary.zxid !== ZXID_NONE) sent = summary.zxid;
        summary.add(value);
        due ??= wait(everyMs, "due" as const, { ref: false });
      }
      next = iterator.next();
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

export type SummaryOptions = {
  readonly from: Zxid | undefined;
  readonly everyMs: number;
  readonly signal: AbortSignal;
};

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
