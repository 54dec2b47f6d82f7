/** Every story holds, and goes as its trace says. `npm run traces` writes the traces anew. */
import test from "ava";
import { STORIES } from "./all.ts";
import { difference, readTrace, strayTraces } from "./golden.ts";
import { traceOf } from "./story.ts";

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
