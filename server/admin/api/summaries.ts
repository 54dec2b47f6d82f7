/**
 * Summaries of changes, as server-sent events: for whoever only wants to know what to look at again. The node is asked for them now and then, so
 * that they cost little, however much is written, and nothing where nobody asks.
 */
import { setTimeout as delay } from "node:timers/promises";
import { assert } from "../../../protocol/assert.ts";
import { errorOfCode } from "../../../protocol/errors.ts";
import { API_SUMMARY_PATHS_MAX } from "../../../protocol/limits.ts";
import type { Changed } from "../../../protocol/reads.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import { eventText, gapText, OPEN } from "./event-stream.ts";

export type SummaryOptions = {
  /** Undefined: from now on. */
  readonly from: Zxid | undefined;
  readonly everyMs: number;
  readonly signal: AbortSignal;
};

/** How many changes there were, and where. */
export class Summary {
  #zxid: Zxid = ZXID_NONE;
  #changes = 0;
  #unlisted = 0;
  readonly #paths = new Set<string>();

  get isEmpty(): boolean {
    return this.#changes === 0;
  }

  add(paths: readonly string[], changes: number, zxid: Zxid): void {
    this.#zxid = zxid;
    this.#changes += changes;
    for (const path of paths) {
      if (this.#paths.has(path)) continue;
      if (this.#paths.size < API_SUMMARY_PATHS_MAX) this.#paths.add(path);
      else this.#unlisted += 1;
    }
  }

  addUnlisted(changes: number): void {
    this.#unlisted += changes;
  }

  get data(): object {
    const [changes, unlisted] = [this.#changes, this.#unlisted];
    return { zxid: formatZxid(this.#zxid), changes, paths: [...this.#paths], unlisted };
  }
}

export type Wish = { readonly path: string; readonly below: boolean };

/** One `summary` in `everyMs`, as long as something changes, until the signal aborts, or the node does not know any more what comes next. */
export async function* summariesOf(
  client: () => Promise<OwnClient>,
  wish: Wish,
  { from, everyMs, signal }: SummaryOptions,
): AsyncGenerator<string, void, undefined> {
  let after = from ?? (await changedSince(await client(), wish, undefined)).through;
  // What whoever hears of it reads from now on, and what he is told of, leave no gap.
  yield OPEN;
  while (!signal.aborted) {
    const summary = new Summary();
    let changed: Changed;
    do {
      changed = await changedSince(await client(), wish, after);
      const { paths, changes, unlisted, through, end } = changed;
      if (signal.aborted) return;
      if (end === "lost") {
        yield gapText(through);
        return;
      }
      after = through;
      if (changes > 0) summary.add(paths, changes, through);
      summary.addUnlisted(unlisted);
    } while (changed.end === "more");
    if (!summary.isEmpty) yield eventText("summary", after, summary.data);
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function changedSince(
  client: OwnClient,
  { path, below }: Wish,
  after: Zxid | undefined,
): Promise<Changed> {
  const pathsMax = API_SUMMARY_PATHS_MAX;
  const read = { kind: "changedPaths", path, below, after, pathsMax } as const;
  const { result } = await client.request({ kind: "read", read }, path, {});
  if (result.kind === "error") throw errorOfCode(result.code, path);
  assert(result.kind === "changed", "what has changed is answered with that");
  return result;
}
