/** The steps of actors for one write, as a table. */
import { markdownTable, perWrite } from "./markdown.ts";
import type { StepCounts } from "./steps-nodes.ts";

export type Counted = { readonly label: string; readonly counts: StepCounts | undefined };

/** Steps that happen less often than `least` for one write are left out: they belong to something else. */
export function stepsTable(
  scenario: string,
  nodes: readonly Counted[],
  { writes, least }: { readonly writes: number; readonly least: number },
): string {
  const rows = nodes.flatMap(({ label, counts }) =>
    (counts?.steps ?? [])
      .filter(({ steps }) => steps / writes >= least)
      .toSorted((a, b) => b.us - a.us)
      .map(({ actor, message, steps, us, effects }) => [
        `${label}: ${actor} ${message}`,
        perWrite(steps / writes),
        perWrite(us / writes),
        Object.entries(effects)
          .filter(([, times]) => times / writes >= least)
          .map(([kind, times]) => `${perWrite(times / writes)} ${kind}`)
          .join(", "),
      ]),
  );
  const totals = nodes.map(({ label, counts }) => {
    const steps = (counts?.steps ?? []).reduce((sum, each) => sum + each.steps, 0);
    const us = (counts?.steps ?? []).reduce((sum, each) => sum + each.us, 0);
    const turns = (counts?.turns ?? 0) / writes;
    const collected = ((counts?.collectionMs ?? 0) * 1000) / writes;
    const cells = [steps / writes, us / writes, turns, collected].map(perWrite);
    return [label, ...cells];
  });
  const head = ["", "steps", "µs in steps", "turns of the main loop", "µs of garbage collection"];
  return [
    `### Steps of ${scenario}\n`,
    markdownTable(head, totals),
    markdownTable(["step", "times", "µs", "effects"], rows),
  ].join("\n");
}
