/** What `npm test` says while it runs. */
import test from "ava";
import { announcement, progressText, slowestText } from "./setup/progress.ts";

test("progress counts the files that are done, and names those that are running, the oldest first", (t) => {
  const text = [
    announcement("begins", "test/a.test.ts", 1000),
    announcement("begins", "test/c.test.ts", 3000),
    announcement("begins", "test/b.test.ts", 2000),
    announcement("ends", "test/a.test.ts", 4000),
  ].join("");
  t.is(
    progressText(text, 7, 62_000),
    "1 of 7 files done; running: test/b.test.ts (60 s), test/c.test.ts (59 s)",
  );
});

test("an announcement that is still being written is not taken for a whole one", (t) => {
  const text = `${announcement("begins", "test/a.test.ts", 0)}ends 20 test/a.te`;
  t.is(progressText(text, 2, 5000), "0 of 2 files done; running: test/a.test.ts (5 s)");
});

test("at the end the files that took longest are named", (t) => {
  const text = [
    announcement("begins", "test/a.test.ts", 1000),
    announcement("begins", "test/b.test.ts", 1000),
    announcement("begins", "test/c.test.ts", 2000),
    announcement("ends", "test/a.test.ts", 8000),
    announcement("ends", "test/b.test.ts", 40_000),
    announcement("ends", "test/c.test.ts", 3000),
    announcement("begins", "test/d.test.ts", 4000),
  ].join("");
  t.is(slowestText(text), "test/b.test.ts (39 s), test/a.test.ts (7 s)");
  t.is(slowestText(""), "");
});

test("before anything has begun nothing is running", (t) => {
  t.is(progressText("", 3, 0), "0 of 3 files done");
});
