/**
 * Checks what becomes of processes that must not run: one that is started wrongly ends with the event for it, and one beside the
 * ensemble stays out.
 */
import { type ProcessEnd, shownEnd } from "./server-process.ts";
import type { Violations } from "./violations.ts";

/** A process that had to end by itself. */
export type EndedProcess = {
  /** Undefined: it had not ended in time. */
  readonly end: ProcessEnd | undefined;
  readonly output: string;
};

/** A process that had to stay out until it was stopped. */
export type KeptOut = {
  readonly output: string;
  /** What it answered when it was asked for its mode. */
  readonly modes: readonly string[];
  /** Paths that it said were created. */
  readonly acknowledged: readonly string[];
};

/** Two processes of one folder and a copy of it. */
export type TwoOfOne = { readonly original: EndedProcess; readonly copy: EndedProcess };

const OLD_FOLDER = /the data folder is older than what the others remember of it/;
/** Said by a member only: who follows as a guest or votes for nobody must not come so far. */
const TAKES_PART = /log-sync (?:establishing|leading|following|votesAgain)[^\n]*/;
const VOTES = /log-sync (?:establishing|leading|votesAgain)[^\n]*/;
const REFUSED_OUTSIDE = /joinRefused|refusedByPeer .*reason=twin/;
const SHOWN_LINES = 5;

export class Intruders {
  readonly #violations: Violations;
  refusals = 0;
  keptOutside = 0;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** It had to end with an exit code that tells a failure, and with this word. */
  refused(what: string, word: RegExp, process: EndedProcess): void {
    const problem = problemOf(process, word);
    if (problem === undefined) this.refusals += 1;
    else this.#violations.add("wrong-start", `${what} ${problem}\n${lastOf(process.output)}`);
  }

  /** Names of files of its folder that are not what they were. */
  unchanged(what: string, changed: readonly string[]): void {
    if (changed.length === 0) return;
    this.#violations.add("wrong-start", `${what} changed ${changed.join(", ")}`);
  }

  /** An old copy of a folder, until it ended. */
  oldCopy(what: string, process: EndedProcess): void {
    this.refused(what, OLD_FOLDER, process);
    const voted = VOTES.exec(process.output)?.[0];
    if (voted !== undefined) this.#violations.add("intruder", `${what}: ${voted}`);
  }

  keptOut(what: string, { output, modes, acknowledged }: KeptOut): void {
    const problems = [
      ...modes.map((mode) => `says that it is a ${mode}`),
      ...acknowledged.map((path) => `acknowledged ${path}`),
    ];
    const part = TAKES_PART.exec(output)?.[0];
    if (part !== undefined) problems.push(`takes part: ${part}`);
    for (const problem of problems) this.#violations.add("intruder", `${what} ${problem}`);
    if (!isRefusedOutside(output)) {
      this.#violations.add("wrong-start", `${what} was not refused in words\n${lastOf(output)}`);
    } else if (problems.length === 0) {
      this.keptOutside += 1;
    }
  }

  twoOfOne(what: string, { original, copy }: TwoOfOne): void {
    const ended = [original, copy].filter(({ end }) => end !== undefined);
    const [only] = ended;
    if (only === undefined || ended.length > 1) {
      const shown = only === undefined ? "both go on" : "both ended";
      const last = `${lastOf(original.output)}\n${lastOf(copy.output)}`;
      this.#violations.add("one-folder-twice", `${what}: ${shown}\n${last}`);
      return;
    }
    this.refused(what, OLD_FOLDER, only);
  }
}

/** Whether the ensemble has told it that there is no place for it. */
export function isRefusedOutside(output: string): boolean {
  return REFUSED_OUTSIDE.test(output);
}

function problemOf({ end, output }: EndedProcess, word: RegExp): string | undefined {
  if (end === undefined) return "did not end";
  if (typeof end !== "number" || end === 0) return `ended with ${shownEnd(end)}`;
  return word.test(output) ? undefined : `ended without the word ${word.source}`;
}

function lastOf(output: string): string {
  return output.trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
}
