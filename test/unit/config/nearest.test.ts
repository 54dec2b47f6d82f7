/** What "did you mean" offers. */
import test from "ava";
import { nearest } from "../../../server/config/nearest.ts";

test("a word with few mistakes finds its candidate and a strange word none", (t) => {
  const candidates = ["serve", "ensemble", "status"];
  t.is(nearest("server", candidates), "serve");
  t.is(nearest("ensmeble", candidates), "ensemble");
  t.is(nearest("STATUS", candidates), "status");
  t.is(nearest("get", candidates), undefined);
  t.is(nearest("", candidates), undefined);
});
