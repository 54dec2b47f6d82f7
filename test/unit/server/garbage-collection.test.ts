/** The flags of V8 that a node sets for its threads. */
import { execFileSync } from "node:child_process";
import test from "ava";
import { collectorFlags } from "../../../server/garbage-collection.ts";

test("the flags are known to this V8, so that none of them is said to be wrong", (t) => {
  const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  const flags = collectorFlags(process.versions.v8);
  t.is(flags.length, 2);
  for (const flag of flags) t.true(known.includes(flag.split("=", 1)[0] ?? ""), flag);
});

test("a V8 that may not know them gets none", (t) => {
  t.deepEqual(collectorFlags("12.4.254.21-node.33"), []);
  t.deepEqual(collectorFlags("13.5.1"), []);
  t.is(collectorFlags("14.0.365.4-node.11").length, 2);
});
