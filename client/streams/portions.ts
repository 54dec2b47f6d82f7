/** The changes of a portion, those of each zxid together. */
import type { Change } from "../../protocol/reads.ts";

export function* byZxid(changes: readonly Change[]): Generator<readonly Change[], undefined> {
  let start = 0;
  for (let at = 1; at <= changes.length; at += 1) {
    if (at < changes.length && changes[at]?.zxid === changes[start]?.zxid) continue;
    yield changes.slice(start, at);
    start = at;
  }
}
