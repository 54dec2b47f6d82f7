/** What is said at the end about kazoo's own tests. */
import type { Outcome, Outcomes, ServerName } from "./suite.ts";

export function idsOf(outcomes: Outcomes, outcome: Outcome): readonly string[] {
  return [...outcomes].filter(([, each]) => each === outcome).map(([id]) => id);
}

function totalsText(outcomes: Outcomes): string {
  const count = (outcome: Outcome): number => idsOf(outcomes, outcome).length;
  const again = `${count("passedAgain")} passed only when they were run again`;
  return `${count("passed")} passed, ${again}, ${count("failed")} failed, ${count("skipped")} skipped`;
}

/** A line for each server, and one for each test that did not pass at once. */
export function reportOf(found: ReadonlyMap<ServerName, Outcomes>): readonly string[] {
  return [...found].flatMap(([server, outcomes]) => [
    `${server}: ${totalsText(outcomes)}`,
    ...idsOf(outcomes, "failed").map((id) => `  failed with ${server}: ${id}`),
    ...idsOf(outcomes, "passedAgain").map(
      (id) => `  passed with ${server} only when it was run again: ${id}`,
    ),
  ]);
}
