/** How often the loop takes a turn, and how its letters leave. */
import test from "ava";
import type { Actor } from "../../../runtime/actor.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { ActorSystem, type Link } from "../../../runtime/system.ts";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { server } from "../../support/plain-calls.ts";

type Note = { readonly kind: string };

function actor(name: string, got: string[], handle: (kind: string) => Effect[]): Actor<null, Note> {
  return {
    name,
    supervision: "stopNode",
    mailbox: { capacity: 10, whenFull: "stopNode" },
    start: () => null,
    receive: ({ effects }, { kind }) => {
      got.push(`${name} ${kind}`);
      effects.push(...handle(kind));
    },
  };
}

test("a turn of the loop that has done all that it brought about is followed by none", (t) => {
  const clock = new VirtualClock();
  let turns = 0;
  const counting: Clock = {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
    soon: (run) => {
      turns += 1;
      clock.soon(run);
    },
  };
  const system = new ActorSystem({
    node: server(1),
    clock: counting,
    randomness: new SeededRandomness(1),
    route: () => undefined,
    onStopNode: (reason) => t.fail(reason),
  });
  const got: string[] = [];
  system.add(actor("first", got, () => [{ kind: "tell", to: "second", message: { kind: "on" } }]));
  system.add(actor("second", got, (kind) => (kind === "on" ? [{ kind: "endOfTurn" }] : [])));
  clock.advance(0);
  turns = 0;
  system.tell("first", { kind: "go" });
  clock.advance(1);
  t.deepEqual(got, ["first go", "second on", "second endOfTurn"]);
  t.is(turns, 1);
});

test("all links of a turn have been told of its letters before the first letter is posted", (t) => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const linkTo = (name: string): Link => ({
    announce: () => void order.push(`announced to ${name}`),
    post: () => void order.push(`posted to ${name}`),
  });
  const lanes = ["lane 1", "lane 2"];
  const links = new Map(lanes.map((name) => [name, linkTo(name)]));
  const system = new ActorSystem({
    node: server(1),
    clock,
    randomness: new SeededRandomness(1),
    route: (to) => links.get(to),
    onStopNode: (reason) => t.fail(reason),
  });
  const message = { kind: "committed" };
  system.add(actor("first", [], () => lanes.map((to) => ({ kind: "tell", to, message }))));
  system.tell("first", { kind: "go" });
  clock.advance(1);
  t.deepEqual(order, [
    ...["announced to lane 1", "announced to lane 2"],
    ...["posted to lane 1", "posted to lane 2"],
  ]);
});
