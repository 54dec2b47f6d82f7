/** Writes that native clients ask again: what was done is answered with what it came to, and handed on to nobody. */
import test from "ava";
import { Code } from "../../../protocol/codes.ts";
import { KEPT_RESULTS_IDLE_MAX } from "../../../protocol/limits.ts";
import type { Operation, RequestsSoFar } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  get,
  NativeGatewayHarness,
  PASSWORD,
  SESSION,
  set,
  STAT,
} from "../../support/native-gateway.ts";

const STAT_RESULT = { kind: "stat", stat: STAT } as const;

/** A connection that comes to a session with such writes. */
function attached(requests: RequestsSoFar): NativeGatewayHarness {
  const harness = new NativeGatewayHarness();
  harness.ask(SESSION);
  const result = { kind: "session", session: SESSION, timeoutMs: 10_000 } as const;
  harness.written(20, { ...result, password: PASSWORD, attachedAt: 20 as Zxid, requests });
  harness.published();
  harness.tells();
  return harness;
}

const SO_FAR: RequestsSoFar = {
  last: 7,
  kept: [
    { number: 4, zxid: 11 as Zxid, result: STAT_RESULT },
    { number: 7, zxid: 12 as Zxid, result: { kind: "error", code: Code.badVersion } },
  ],
};

function numbersOf(harness: NativeGatewayHarness): readonly unknown[] {
  const { operations } = harness.lastTold("write") as { readonly operations: readonly Operation[] };
  return operations.map((each) => (each.kind === "client" ? each.request : undefined));
}

test("a write that was done before is answered with its first result and zxid, whatever the ensemble takes now", (t) => {
  const harness = attached(SO_FAR);
  harness.lead(true, "none");
  harness.say(set(4), set(7));
  t.deepEqual(harness.published(), [
    { kind: "result", id: 4, zxid: 11 as Zxid, result: STAT_RESULT },
    { kind: "result", id: 7, zxid: 12 as Zxid, result: { kind: "error", code: Code.badVersion } },
  ]);
  t.deepEqual(harness.tells(), []);
});

test("a write before the last one that was not done is refused for certain, and not done later", (t) => {
  const harness = attached(SO_FAR);
  harness.say(set(5));
  t.like(harness.published(), [{ id: 5, result: { kind: "error", code: Code.throttled } }]);
  t.deepEqual(harness.tells(), []);
});

test("what is new is handed on with its number, and with what the client has had answers to", (t) => {
  const harness = attached(SO_FAR);
  harness.say({ kind: "answered", number: 6 }, get(6), set(8), set(9));
  t.deepEqual(numbersOf(harness), [
    { number: 8, answered: 6 },
    { number: 9, answered: 6 },
  ]);
  t.deepEqual(harness.tells(), ["tree/1 read", "submitter/1 write"]);
  harness.say({ kind: "answered", number: 5 }, set(10));
  t.deepEqual(numbersOf(harness), [{ number: 10, answered: 6 }]);
});

test("many results that are kept in vain are forgotten once their client is quiet", (t) => {
  const harness = attached({ last: 0, kept: [] });
  const count = KEPT_RESULTS_IDLE_MAX + 1;
  harness.say(...Array.from({ length: count }, (_, index) => set(index + 1)));
  harness.tick(300);
  t.deepEqual(
    harness.tells(),
    ["submitter/1 write", "heartbeat touched"],
    "they wait for their results",
  );
  harness.written(21, ...Array.from({ length: count }, () => STAT_RESULT));
  harness.published();
  harness.tick(300);
  t.deepEqual(harness.tells(), [], "it is not known that the client has them");
  harness.say({ kind: "answered", number: count });
  harness.tick(300);
  t.deepEqual(numbersOf(harness), [{ number: 0, answered: count }]);
  harness.tells();
  harness.written(300, { kind: "error", code: Code.badArguments });
  t.deepEqual(harness.published(), [], "no client has asked for that");
  harness.tick(300);
  t.deepEqual(harness.tells(), [], "once is enough");
});
