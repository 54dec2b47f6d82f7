/** A stream from the past has to tell what the first one told, or say that it cannot: everything else is reported. */
import test from "ava";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { StreamChange } from "../../soak/change-stream.ts";
import { LateStream } from "../../soak/late-stream.ts";
import { Violations } from "../../soak/violations.ts";

const HISTORY = [11, 12, 12, 13, 14].map((zxid, index) => {
  return { zxid: zxid as Zxid, kind: "created" as const, path: `/n-${index}` };
});
const heardOf = (index: number): StreamChange => {
  const change = HISTORY[index];
  if (change === undefined) throw new RangeError(`no change ${index}`);
  return { ...change, index: 0, version: 0, token: "", owner: 0, czxid: change.zxid };
};

/** Asked for all after 11 and heard up to 13. */
function found(act: (late: LateStream) => void): number {
  const violations = new Violations();
  act(new LateStream({ violations, from: 11, history: HISTORY }));
  return violations.counts.get("stream") ?? 0;
}

function told(...indexes: readonly number[]): number {
  return found((late) => {
    for (const index of indexes) late.change(heardOf(index));
    late.end(13);
  });
}

test("the same changes in the same order are right, and so is what goes on after the end", (t) => {
  t.is(told(1, 2, 3), 0);
  t.is(told(1, 2, 3, 4), 0);
});

test("a change that is left out, repeated, moved, or from before is reported", (t) => {
  for (const indexes of [[1, 3], [1, 2], [2, 3], [], [1, 1, 2, 3], [2, 1, 3], [0, 1, 2, 3]]) {
    t.is(told(...indexes), 1, indexes.join());
  }
});

test("compacted is right only of what is older than what is kept, and before any change", (t) => {
  t.is(
    found((late) => late.compacted(12)),
    0,
  );
  t.is(
    found((late) => late.compacted(11)),
    1,
  );
});
