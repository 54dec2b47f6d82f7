/** How `npm test` shows what failed. */
import test from "ava";
import { againText, failureText } from "./setup/failures.ts";

test("a failure is shown with its details, of which a long list is cut and counted", (t) => {
  t.is(failureText("broken", ["    message: boom"]), "✗ broken\n    message: boom\n");
  const long = failureText(
    "broken",
    Array.from({ length: 100 }, (_, line) => `    line ${line}`),
  );
  t.is(long.split("\n").length, 83);
  t.regex(long, /line 79\n {4}… and 20 more lines\n$/);
});

test("at the end all failures are shown again, up to ten of them, the rest counted", (t) => {
  t.is(againText([]), "");
  t.is(
    againText([failureText("a", []), failureText("b", ["    boom"])]),
    "── what failed, again\n✗ a\n\n✗ b\n    boom\n",
  );
  const many = againText(Array.from({ length: 12 }, (_, each) => failureText(`test ${each}`, [])));
  t.regex(many, /✗ test 9\n\n… and 2 more failures$/);
});
