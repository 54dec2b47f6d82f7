/** Questions of operators at a node, and what its log says of them. */
import test from "ava";
import { Subject } from "rxjs";
import type { FactsQuestion } from "../../../actors/admin/messages.ts";
import { operatorText, type OperatorRequest } from "../../../protocol/operator.ts";
import { Operations, type OperationsOptions } from "../../../server/operator/operations.ts";
import { tagFor } from "../../../server/operator/seal.ts";
import { settled } from "../../support/until.ts";

function question(): Uint8Array {
  const request: OperatorRequest = { kind: "status", asked: "question" };
  const seal = { ensemble: "zooid", keys: undefined };
  const tag = tagFor(seal, "toNode", JSON.stringify(request));
  return new TextEncoder().encode(operatorText(tag, request));
}

/** A node that knows nothing of itself, and what its log says. */
function operationsOf(): { operations: Operations; said: string[] } {
  const facts = new Subject<object>();
  const system = {
    observe: () => facts,
    tell: (_to: string, { request }: FactsQuestion) => facts.next({ request }),
  };
  const main = { system, gate: { nonce: 1 }, retirement: { hasBegun: false } };
  const said: string[] = [];
  const options = {
    config: { id: 1, ensemble: "zooid", members: [1], lanes: 1 },
    keys: undefined,
    main: () => main,
    clientsConnect: () => true,
    say: (level: string, event: string) => said.push(`${level} ${event}`),
    restart: undefined,
  } as unknown as OperationsOptions;
  return { operations: new Operations(options), said };
}

test("a node that cannot answer an operator says so in its log, and answers the next", async (t) => {
  const { operations, said } = operationsOf();
  operations.hear(question(), () => {
    throw new Error("the connection is closed");
  });
  await settled();
  t.deepEqual(said, ["error operatorFailed"]);
  let answers = 0;
  operations.hear(question(), () => {
    answers += 1;
  });
  await settled();
  t.is(answers, 1);
});
