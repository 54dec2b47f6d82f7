/** What is read of pytest's report on kazoo's own tests. */
import test from "ava";
import { outcomesOf } from "./suite.ts";

test("a test has failed that failed or whose preparation did, and has an id that pytest takes", (t) => {
  const element = (name: string, inside: string): string =>
    `<testcase classname="kazoo.tests.test_lock.KazooLockTests" name="${name}" time="0.1">${inside}</testcase>`;
  const report = `<testsuite>${[
    element("test_good", ""),
    element("test_bad", '<failure message="no">text</failure>'),
    element("test_worse", '<error message="no">text</error>'),
    element("test_other", '<skipped type="pytest.skip" message="no" />'),
  ].join("")}</testsuite>`;
  const id = (name: string): string => `kazoo/tests/test_lock.py::KazooLockTests::${name}`;
  t.deepEqual(
    [...outcomesOf(report)],
    [
      [id("test_good"), "passed"],
      [id("test_bad"), "failed"],
      [id("test_worse"), "failed"],
      [id("test_other"), "skipped"],
    ],
  );
});
