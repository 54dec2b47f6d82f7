/** How records that the leader's log contradicts are removed. A crash at any point leaves a prefix of the old log. */
import { assert } from "../../../protocol/assert.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { type Procedure, perform } from "../format/procedure.ts";
import { type LogState, report } from "../state.ts";
import { lowerEnd } from "./log-end.ts";
import { stallChange } from "../disk-space.ts";

/**
 * Does the truncation at the head of the changes. If there is no space for `log-end`, it stays there and is tried again. It removes what is
 * after `after`: the later segments last-first, each removal durable before the next, and then the rest of the last segment by making
 * the file shorter. So a crash at any point leaves a prefix of the old log that contains the new log.
 */
export function* truncateLog(state: LogState, after: Zxid): Procedure {
  const { index, segments } = state;
  const kept = index.countUpTo(after);
  if (kept < index.count) {
    assert(index.holds(after), "a truncation keeps whole records");
    if (!(yield* lowerEnd(state, after))) {
      stallChange(state);
      return;
    }
    const removed = segments.filter((segment) => segment.firstRecord >= kept).reverse();
    for (const segment of removed) {
      yield* perform([{ kind: "remove", file: segment.name }, { kind: "syncFolder" }]);
      segments.pop();
    }
    const current = segments.at(-1);
    const end = current === undefined ? 0 : index.endOf(kept - 1);
    if (current !== undefined && current.end > end) {
      const file = current.name;
      yield* perform([
        { kind: "truncate", file, length: end },
        { kind: "sync", file },
      ]);
      current.end = end;
      current.size = end;
      current.sealed = false;
    }
    index.truncate(kept);
  }
  state.changes.shift();
  state.truncations += 1;
  report(state, {
    kind: "truncated",
    lastZxid: index.lastZxid,
    truncations: state.truncations,
  });
}
