/** Makes a program that shows a difference smaller, as long as the difference stays. */
import type { Program, Step } from "./program.ts";

const TRIES_MAX = 300;

/** `differs` runs the program and says whether it still shows the difference. */
export async function shrink(
  program: Program,
  differs: (smaller: Program) => Promise<boolean>,
): Promise<Program> {
  let smallest = program;
  let tries = 0;
  const keeps = async (steps: readonly Step[]): Promise<boolean> => {
    tries += 1;
    const smaller = { ...program, steps };
    if (tries > TRIES_MAX || !(await differs(smaller))) return false;
    smallest = smaller;
    return true;
  };
  // What comes after the difference is left out by the first try of each round; then ever fewer steps together.
  for (let size = Math.ceil(program.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = smallest.steps.length - size; at >= 0; at -= size) {
      await keeps(smallest.steps.filter((_, index) => index < at || index >= at + size));
    }
  }
  for (let at = smallest.steps.length - 1; at >= 0; at -= 1) {
    for (const part of partsOf(smallest.steps[at])) {
      const steps = smallest.steps.with(at, part);
      if (await keeps(steps)) break;
    }
  }
  return smallest;
}

/** The step with one of its requests, or of the members of its only one. */
function partsOf(step: Step | undefined): readonly Step[] {
  if (step?.kind !== "send") return [];
  const { requests } = step;
  if (requests.length > 1) return requests.map((request) => ({ ...step, requests: [request] }));
  const [only] = requests;
  const members = only?.members ?? [];
  if (only === undefined || members.length < 2) return [];
  return members.map((_, left) => ({
    ...step,
    requests: [{ ...only, members: members.filter((__, index) => index !== left) }],
  }));
}
