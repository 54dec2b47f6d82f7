/** `npm run traces`: plays every story, and writes its trace where its file has another one. */
import { STORIES } from "./all.ts";
import { difference, readTrace, removeTrace, strayTraces, writeTrace } from "./golden.ts";
import { traceOf } from "./story.ts";

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

let failed = 0;
for (const story of STORIES) {
  const before = readTrace(story.name);
  let trace: string;
  try {
    trace = traceOf(story);
  } catch (error) {
    failed += 1;
    say(`${story.name}: FAILED, nothing is written\n${(error as Error).message}`);
    continue;
  }
  if (writeTrace(story.name, trace)) {
    say(`${story.name}: written\n${before === undefined ? "" : difference(before, trace)}`);
  }
}
for (const name of strayTraces(STORIES.map((story) => story.name))) {
  removeTrace(name);
  say(`${name}: removed, no story has this name`);
}
say(`${STORIES.length} stories, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
