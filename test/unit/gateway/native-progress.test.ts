/** How far the streams of native clients have come is asked for while there are any. */
import test from "ava";
import type { Zxid } from "../../../protocol/zxid.ts";
import { opened } from "../../support/native-gateway.ts";

test("the tree is asked how far streams have come once a second, while there are any", (t) => {
  const harness = opened();
  const stream = { kind: "openStream", stream: 5, path: "/a", recursive: true } as const;
  harness.say({ ...stream, after: 10 as Zxid, credits: 1 });
  harness.tells();
  harness.tick(1_000);
  t.true(harness.tells().includes("tree/1 reportProgress"));
  harness.tick(200);
  t.false(harness.tells().includes("tree/1 reportProgress"));
  harness.say({ kind: "closeStream", stream: 5 });
  harness.tick(1_000);
  t.false(harness.tells().includes("tree/1 reportProgress"));
});
