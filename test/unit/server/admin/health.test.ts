/** What a node is found to be by those of its threads that answer. */
import test from "ava";
import { NEVER } from "rxjs";
import type { Facts, Gathered } from "../../../../actors/admin/messages.ts";
import type { ActorSystem } from "../../../../runtime/system.ts";
import { healthReply, NodeHealth } from "../../../../server/admin/health.ts";
import type { FactsOptions, NodeFacts } from "../../../../server/admin/node-facts.ts";

/** A node of which those answer that are not silent. */
function healthOf(silent: readonly Gathered[]): NodeHealth {
  const facts = {
    ask: ({ gather }: FactsOptions) =>
      Promise.resolve(gather !== undefined && silent.includes(gather) ? undefined : ({} as Facts)),
  } as unknown as NodeFacts;
  return new NodeHealth({ observe: () => NEVER } as unknown as ActorSystem, facts, 1);
}

test("a log whose thread stands still is named, and the node is not alive", async (t) => {
  const live = healthReply("livez", await healthOf(["log"]).live(), false);
  t.is(live.status, 503);
  const lines = ["[+]process ok", "[+]lanes ok", "[-]log failed: no answer in 5 s"];
  t.deepEqual(live.body.split("\n").slice(0, 3), lines);
});

test("lanes that stand still are named, apart from the log", async (t) => {
  const { status, body } = healthReply("livez", await healthOf(["stat"]).live(), false);
  t.is(status, 503);
  t.regex(body, /\[-\]lanes failed: no answer in 5 s\n\[\+\]log ok\n/);
  t.is(healthReply("livez", await healthOf([]).live(), false).status, 200);
});
