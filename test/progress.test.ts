/** What `npm test` says while it runs. */
import test from "ava";
import { announcement, progressText } from "./setup/progress.ts";

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

test("before anything has begun nothing is running", (t) => {
  t.is(progressText("", 3, 0), "0 of 3 files done");
});
