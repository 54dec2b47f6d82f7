/** Which paths a pattern is for, and what is none. */
import test from "ava";
import { globOf } from "../../../server/history/glob.ts";
import { FIND_PATTERN_CHARS_MAX } from "../../../server/history/limits.ts";

function isLike(path: string, pattern: string): boolean {
  const glob = globOf(pattern);
  if (typeof glob === "string") throw new Error(glob);
  const names = path === "/" ? [] : path.slice(1).split("/");
  return glob.isMatch(names.reduce((state, name) => glob.step(state, name), glob.start));
}

const LIKE: readonly (readonly [pattern: string, ...paths: string[]])[] = [
  ["/", "/"],
  ["/**", "/", "/a", "/a/b/c"],
  ["/a", "/a"],
  ["/*", "/a", "/abc", "/*"],
  ["/shop/**/limits", "/shop/limits", "/shop/a/limits", "/shop/a/b/limits"],
  ["/**/a/**/b", "/a/b", "/a/a/b", "/x/a/y/z/b", "/a/b/b"],
  ["/a*c*e", "/ace", "/abcde", "/accee", "/a*c*e"],
  ["/lock-??????????", "/lock-0000000012"],
  ["/?", "/a", "/é", "/🦓"],
  ["/a\\*b\\?", "/a*b?"],
  ["/a\\", "/a\\"],
  ["/***", "/a", "/ab"],
  ["/[a]", "/[a]"],
];

const UNLIKE: readonly (readonly [pattern: string, ...paths: string[]])[] = [
  ["/", "/a"],
  ["/*", "/", "/a/b"],
  ["/a", "/ab", "/b", "/a/a"],
  ["/shop/**/limits", "/shop", "/shop/limits/x", "/shopping/limits", "/shop/xlimits"],
  ["/a*c*e", "/ac", "/aced", "/ec"],
  ["/?", "/", "/ab"],
  ["/a\\*b", "/axb"],
  ["/[a]", "/a"],
];

test("a pattern is for the paths that are like it, and for no others", (t) => {
  for (const [pattern, ...paths] of LIKE) {
    for (const path of paths) t.true(isLike(path, pattern), `${path} ${pattern}`);
  }
  for (const [pattern, ...paths] of UNLIKE) {
    for (const path of paths) t.false(isLike(path, pattern), `${path} ${pattern}`);
  }
});

test("nothing is looked at where nothing can match", (t) => {
  const glob = globOf("/shop/*/limits");
  if (typeof glob === "string") throw new Error(glob);
  t.deepEqual(glob.step(glob.start, "other"), []);
  t.is(glob.step(glob.start, "shop").length, 1);
});

test("what is no pattern is said", (t) => {
  const problemOf = (pattern: string): string => {
    const glob = globOf(pattern);
    return typeof glob === "string" ? glob : "none";
  };
  t.regex(problemOf("shop"), /begins with \//);
  t.regex(problemOf(""), /begins with \//);
  t.regex(problemOf("/shop/"), /no empty name/);
  t.regex(problemOf("//shop"), /no empty name/);
  t.regex(problemOf(`/${"a".repeat(FIND_PATTERN_CHARS_MAX)}`), /at most/);
});

test("a pattern of many stars takes no more steps than it has characters for each of a name", (t) => {
  // Each star that was gone back to would double the steps.
  const pattern = `/${"*a".repeat(200)}b`;
  t.false(isLike(`/${"a".repeat(5000)}`, pattern));
  t.false(isLike(`/${"a/".repeat(200)}a`, "/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b"));
});
