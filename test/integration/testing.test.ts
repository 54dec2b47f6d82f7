/** What the example of `zooid/testing` shows is true. */
import test from "ava";
import { Child } from "../support/child.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

test.serial("the example's tests pass", async (t) => {
  const child = new Child({
    command: process.execPath,
    args: ["--conditions=source", "--test", "--test-reporter=tap", "examples/test-leader.ts"],
    cwd: CHECKOUT,
  });
  t.teardown(() => child.stop());
  await child.exited;
  t.true(child.output().includes("# pass 2\n# fail 0"), child.output());
});
