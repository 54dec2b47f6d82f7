/** What a node remembers of its elections, and answers to `elec`. */
import test from "ava";
import {
  type Elections,
  electionsText,
  takeElectionStep,
} from "../../../actors/admin/elections.ts";
import type { ElectionEvent, ElectionsAnswer } from "../../../actors/admin/messages.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { ELECTION_STEPS_MAX, ELECTIONS_KEPT_MAX } from "../../../protocol/limits.ts";

function seen(...events: readonly ElectionEvent[]): ElectionsAnswer["elections"] {
  const elections: Elections = [];
  for (const [atMs, event] of events.entries()) {
    takeElectionStep(elections, { kind: "electionStep", event, atMs, detail: {} });
  }
  const text = electionsText(2 as ServerId, elections);
  const { node, elections: told } = JSON.parse(text) as ElectionsAnswer;
  if (node !== 2) throw new Error(text);
  return told;
}

const namesOf = (told: ElectionsAnswer["elections"]): readonly (readonly string[])[] =>
  told.map(({ steps }) => steps.map(({ event }) => event));

test("an election goes from the first step without a leader to the one with which there is one", (t) => {
  t.deepEqual(
    namesOf(
      seen("started", "elected", "following", "looking", "elected", "establishing", "leading"),
    ),
    [
      ["started", "elected", "following"],
      ["looking", "elected", "establishing", "leading"],
    ],
  );
});

test("an attempt that leads to nothing is of the same election", (t) => {
  const steps = ["looking", "elected", "looking", "elected", "following"] as const;
  t.deepEqual(namesOf(seen(...steps)), [[...steps]]);
});

test("what becomes of a handover is said behind its election", (t) => {
  const steps = ["handingOver", "deposed", "following", "handedOver"] as const;
  t.deepEqual(namesOf(seen(...steps, "looking")), [[...steps], ["looking"]]);
});

test("the last elections are kept, and of a long one its beginning and its last step", (t) => {
  const many = Array.from({ length: 3 * ELECTIONS_KEPT_MAX }, () => "leading" as const);
  const kept = seen(...many);
  t.is(kept.length, ELECTIONS_KEPT_MAX);
  t.is(kept.at(-1)?.steps[0]?.atMs, many.length - 1);
  const attempts = Array.from({ length: ELECTION_STEPS_MAX + 9 }, () => "looking" as const);
  const [long] = seen(...attempts, "following");
  t.is(long?.steps.length, ELECTION_STEPS_MAX);
  t.is(long?.omitted, 10);
  t.is(long?.steps[0]?.atMs, 0);
  t.is(long?.steps.at(-1)?.event, "following");
});
