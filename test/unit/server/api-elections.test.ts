/** What comes to the inbox of whoever asks all nodes for their elections: anybody may publish there. */
import test from "ava";
import { electionsIn } from "../../../server/admin/api/elections.ts";

const textOf = (steps: unknown): string =>
  JSON.stringify({ node: 1, elections: [{ steps, omitted: 0 }] });

test("an answer is taken if each of its steps has an event, a time and details", (t) => {
  const step = { event: "looking", atMs: 5, detail: { reason: "gone" } };
  t.deepEqual(electionsIn(textOf([step])), [{ steps: [step], omitted: 0 }]);
});

test("what is no answer is none, and breaks no page", (t) => {
  const step = { event: "looking", atMs: 5, detail: {} };
  const wrong = [
    ...["", "null", "[]", '{"elections":5}', '{"elections":[null]}'],
    ...[null, [null], [{ ...step, detail: null }], [{ ...step, atMs: "5" }]].map(textOf),
    JSON.stringify({ elections: [{ steps: [step] }] }),
  ];
  for (const text of wrong) t.is(electionsIn(text), undefined, text);
});
