/**
 * What a node remembers of its last elections, by what it has logged of them: when it began to look for a leader and why, who was to try, the
 * promises, the first commit. A handover is one, too.
 */
import type { ServerId } from "../../protocol/ids.ts";
import { ELECTION_STEPS_MAX, ELECTIONS_KEPT_MAX } from "../../protocol/limits.ts";
import type { Election, ElectionsAnswer, ElectionStep } from "./messages.ts";

/** The oldest is the first. */
export type Elections = Kept[];

type Kept = { -readonly [Field in keyof Election]: Election[Field] } & { isOver: boolean };

/** With these the node has a leader again, itself or another one. */
const ENDS: ReadonlySet<string> = new Set(["leading", "following"]);
/** These may come behind the end. */
const EPILOGUES: ReadonlySet<string> = new Set(["handedOver", "handoverFailed"]);

export function takeElectionStep(
  elections: Elections,
  { event, atMs, detail }: ElectionStep,
): void {
  const step = { event, atMs, detail };
  const isEpilogue = EPILOGUES.has(event);
  let last = elections.at(-1);
  if (last === undefined || (last.isOver && !isEpilogue)) {
    last = { steps: [], omitted: 0, isOver: false };
    elections.push(last);
    if (elections.length > ELECTIONS_KEPT_MAX) elections.shift();
  }
  if (last.steps.length === ELECTION_STEPS_MAX) {
    // The last one says how it ended, or how far it is.
    last.steps = last.steps.slice(0, -1);
    last.omitted += 1;
  }
  last.steps = [...last.steps, step];
  if (ENDS.has(event)) last.isOver = true;
}

export function shownElections(elections: Elections): readonly Election[] {
  return elections.map(({ steps, omitted }) => ({ steps, omitted }));
}

export function electionsText(node: ServerId, elections: Elections): string {
  const answer: ElectionsAnswer = { node, elections: shownElections(elections) };
  return `${JSON.stringify(answer)}\n`;
}
