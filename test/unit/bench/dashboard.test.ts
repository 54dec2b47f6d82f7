/** What the dashboard profile makes of its rounds. */
import test from "ava";
import { goalsText, percentile } from "../../../bench/profiles/dashboard/goals.ts";
import type { Measurement } from "../../../bench/report/measurement.ts";

function rounds(name: string, ...shownMs: readonly number[]): readonly Measurement[] {
  return shownMs.map((ms, index) => ({
    ...{ profile: "dashboard", name, target: "zooid", round: index + 1 },
    metrics: { shownMs: ms, firstPaintMs: 50 },
  }));
}

test("nine of ten rounds decide whether a goal is kept, and the table says how far the others were", (t) => {
  const measurements = [
    ...rounds("good", 10, 20, 30, 40, 50, 60, 70, 80, 90, 900),
    ...rounds("half", 10, 20, 900),
    ...rounds("bad", 900),
    ...rounds("without", 900),
  ];
  const goals = new Map(["good", "half", "bad"].map((name) => [name, { shownMs: 200 }]));
  const lines = goalsText(measurements, goals.set("never measured", { shownMs: 200 })).split("\n");
  t.deepEqual(
    lines.map((line) => line.trim().split(/ {2,}/).join("|")),
    [
      "goals, ms|median|p90|most|goal|kept",
      "good: shown|55|90|900|200|yes",
      "half: shown|20|900|900|200|by the median alone",
      "bad: shown|900|900|900|200|no",
      "",
    ],
  );
});

test("a percentile is one of the values, and 0 of none", (t) => {
  t.deepEqual(
    [percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.9), percentile([], 0.9)],
    [2, 3, 0],
  );
});
