/** What is read of pytest's report on kazoo's own tests. */
import test from "ava";
import { reportOf } from "./report.ts";
import { againOf, outcomesOf, type Outcomes } from "./suite.ts";

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

test("what passed only when it was run again is told by its name and server, and counted apart", (t) => {
  const first: Outcomes = new Map([
    ["good", "passed"],
    ["late", "failed"],
    ["bad", "failed"],
  ]);
  const second: Outcomes = new Map([
    ["late", "passed"],
    ["bad", "failed"],
  ]);
  t.deepEqual(reportOf(new Map([["zooid", new Map([...first, ...againOf(second)])]])), [
    "zooid: 1 passed, 1 passed only when they were run again, 1 failed, 0 skipped",
    "  failed with zooid: bad",
    "  passed with zooid only when it was run again: late",
  ]);
});
