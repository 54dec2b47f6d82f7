/** What every story expects holds, and its trace is the one of its file. `npm run traces` writes the files again. */
import test from "ava";
import { STORIES } from "./all.ts";
import { difference, readTrace, strayTraces } from "./golden.ts";
import { type Story, traceOf } from "./story.ts";

for (const story of STORIES) {
  test(story.title, (t) => {
    const golden = readTrace(story.name) ?? "";
    const trace = traceOf(story);
    t.true(
      trace === golden,
      `traces/${story.name}.txt says otherwise (-) than the story (+); npm run traces writes it anew:\n${difference(golden, trace)}`,
    );
  });
}

test("every trace belongs to a story, and no two stories share one", (t) => {
  const names = STORIES.map(({ name }) => name);
  t.deepEqual(strayTraces(names), []);
  t.is(new Set(names).size, names.length);
});

test("a story has the same trace whatever was played before it", (t) => {
  const [first, ...others] = STORIES.slice(0, 3).toReversed();
  if (first === undefined) throw new Error("no stories");
  const trace = traceOf(first);
  for (const other of others) traceOf(other);
  t.is(traceOf(first), trace);
});

test("a story whose expectation does not hold fails, and shows how far it came", (t) => {
  const wrong = {
    name: "wrong",
    title: "two nodes lead",
    nodes: 1,
    tell: (story: Story) => story.expect("node 2 leads", story.nodes.length > 1),
  };
  const error = t.throws(() => traceOf(wrong));
  t.regex(
    error.message,
    /^two nodes lead\n\n- 1 node; node 1 leads\n\nit does not hold: node 2 leads$/,
  );
});

test("a difference shows what is gone, what is new, and three lines around", (t) => {
  const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].join("\n");
  const after = before.replace("5", "five");
  t.is(
    difference(before, after),
    ["…", "  2", "  3", "  4", "- 5", "+ five", "  6", "  7", "  8", "…"].join("\n"),
  );
});
