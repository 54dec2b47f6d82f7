/** What a node is found to be by those of its threads that answer. */
import test from "ava";
import { NEVER } from "rxjs";
import type { Facts } from "../../../../actors/admin/messages.ts";
import type { ActorSystem } from "../../../../runtime/system.ts";
import { healthReply, NodeHealth } from "../../../../server/admin/health.ts";
import type { NodeFacts } from "../../../../server/admin/node-facts.ts";

function healthOf(answering: { readonly lanes: boolean; readonly threads: boolean }): NodeHealth {
  const facts = {
    ask: () => Promise.resolve(answering.lanes ? ({} as Facts) : undefined),
  } as unknown as NodeFacts;
  const system = { observe: () => NEVER } as unknown as ActorSystem;
  const threadsAnswer = (): Promise<boolean> => Promise.resolve(answering.threads);
  return new NodeHealth({ system, facts, lanes: 1, threadsAnswer });
}

test("a thread without lanes that stands still is seen, and the node is not alive", async (t) => {
  const checks = await healthOf({ lanes: true, threads: false }).live();
  const live = healthReply("livez", checks, false);
  t.is(live.status, 503);
  const lines = ["[+]process ok", "[+]lanes ok", "[-]threads failed: no answer in 5 s"];
  t.deepEqual(live.body.split("\n").slice(0, 3), lines);
});

test("lanes that stand still are named, apart from threads", async (t) => {
  const checks = await healthOf({ lanes: false, threads: true }).live();
  const { status, body } = healthReply("livez", checks, false);
  t.is(status, 503);
  t.regex(body, /\[-\]lanes failed: no answer in 5 s\n\[\+\]threads ok\n/);
  const well = await healthOf({ lanes: true, threads: true }).live();
  t.is(healthReply("livez", well, false).status, 200);
});
