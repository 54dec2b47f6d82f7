/** Claims and lines, where everything that is not of the recipe is set by hand: the clock, outcomes, what streams tell. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { Client } from "../../../../client/client.ts";
import { membersOf } from "../../../../client/recipes/line.ts";
import { receive, start } from "../../../../client/session/session.ts";
import { ConnectionLossError } from "../../../../protocol/errors.ts";
import type { SessionId } from "../../../../protocol/ids.ts";
import { encodeGatewayFrame, type GatewayItem } from "../../../../protocol/native.ts";
import { parentOf, sequenceSuffix } from "../../../../protocol/paths.ts";
import type { Zxid } from "../../../../protocol/zxid.ts";
import { ClaimsWire } from "../../../support/claims-wire.ts";

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await turn();
}

test("a claim's signal aborts when the session may be over, and not before, however often it is answered", async (t) => {
  const wire = new ClaimsWire();
  const lock = await new Client(wire).lock("/locks");
  wire.clock.advance(5_000);
  t.is(lock.remainingMs, 1_000);
  wire.validUntilMs = 9_000;
  wire.clock.advance(3_500);
  t.false(lock.signal.aborted);
  wire.clock.advance(500);
  t.true(lock.signal.aborted);
  t.like(lock.signal.reason, { code: "ZOOID_CLAIM_LOST", because: "silence", path: lock.path });
  t.is(lock.remainingMs, 0);
  wire.validUntilMs = 99_000;
  await turns();
  t.true(lock.signal.aborted, "it stays lost");
  t.is(wire.znodes.size, 0, "its znode goes");
});

test("after a pause the signal has aborted before an answer or a change is delivered", async (t) => {
  const wire = new ClaimsWire();
  const client = new Client(wire);
  const lock = await client.lock("/locks");
  const asked = client.exists("/a");
  // Time has passed, and no timer has run yet.
  wire.validUntilMs = -1;
  t.false(lock.signal.aborted);
  await asked;
  t.true(lock.signal.aborted);
});

test("a claim whose znode somebody else deletes is lost, also over a gap in its stream", async (t) => {
  const wire = new ClaimsWire();
  const lock = await new Client(wire).lock("/locks");
  const [stream] = wire.streams;
  t.is(stream?.path, lock.path);
  wire.znodes.delete(lock.path);
  stream?.observer.ended({ kind: "compacted", oldest: 1 as Zxid });
  wire.clock.advance(500);
  await turns();
  t.like(lock.signal.reason, { because: "deleted" });
});

test("a create whose outcome is unknown is looked for by its name, and is not made again", async (t) => {
  const wire = new ClaimsWire();
  let losses = 1;
  wire.before = (kind, done) => {
    if (kind !== "create" || losses === 0) return;
    losses -= 1;
    done();
    throw new ConnectionLossError("the server is gone");
  };
  const asked = new Client(wire).lock("/locks");
  await turns();
  wire.clock.advance(200);
  const lock = await asked;
  t.is(wire.asked.filter((kind) => kind === "create").length, 1);
  t.deepEqual([...wire.znodes.keys()], [lock.path]);
});

test("who gives up while the outcome of its create is unknown leaves nothing behind", async (t) => {
  const wire = new ClaimsWire();
  const gaveUp = new AbortController();
  wire.before = (kind, done) => {
    if (kind !== "create") return;
    done();
    gaveUp.abort("enough");
    throw new ConnectionLossError("the server is gone");
  };
  const asked = new Client(wire).lock("/locks", { signal: gaveUp.signal });
  await t.throwsAsync(asked, { name: "AbortError" });
  await turns();
  t.is(wire.znodes.size, 0);
});

test("a release that fails is repeated until the znode is gone", async (t) => {
  const wire = new ClaimsWire();
  const lock = await new Client(wire).lock("/locks");
  let losses = 2;
  wire.before = (kind) => {
    if (kind !== "delete" || losses === 0) return;
    losses -= 1;
    throw new ConnectionLossError("the server is gone");
  };
  const released = lock.release();
  for (let round = 0; round < 3; round += 1) {
    await turns();
    wire.clock.advance(500);
  }
  await released;
  t.is(wire.znodes.size, 0);
});

test("one waits for the member before it, from the list on, and looks again when that has gone", async (t) => {
  const wire = new ClaimsWire();
  const members = [1, 2].map((count) => `/locks/_c_x${count}-lock-${sequenceSuffix(count)}`);
  for (const member of members) wire.add(member);
  wire.next = 3;
  let isHeld = false;
  const asked = new Client(wire).lock("/locks").then((lock) => {
    isHeld = true;
    return lock;
  });
  await turns();
  const listed = wire.lastZxid;
  t.deepEqual(
    wire.streams.map(({ path, after }) => ({ path, after })),
    [{ path: members[1], after: listed }],
  );
  wire.delete(members[1] ?? "");
  await turns();
  t.false(isHeld, "the first still holds it");
  t.deepEqual(
    wire.streams.map(({ path }) => path),
    [members[0]],
  );
  // A stream with a gap says nothing of what happened in it.
  wire.znodes.delete(members[0] ?? "");
  wire.streams[0]?.observer.ended({ kind: "compacted", oldest: 1 as Zxid });
  const lock = await asked;
  t.is(parentOf(lock.path), "/locks");
});

test("a member that somebody deletes while it waits joins again", async (t) => {
  const wire = new ClaimsWire();
  const first = `/locks/_c_x-lock-${sequenceSuffix(1)}`;
  wire.add(first);
  wire.next = 2;
  const asked = new Client(wire).lock("/locks");
  await turns();
  const [own = ""] = [...wire.znodes.keys()].filter((path) => path !== first);
  wire.delete(own);
  wire.delete(first);
  t.not((await asked).path, own);
});

test("members keep their order when their numbers go round, and children of other kinds are none", (t) => {
  const named = (count: number): string => `_c_x-lock-${sequenceSuffix(count)}`;
  const names = [2 ** 31, 2 ** 31 - 1, 2 ** 31 + 5, 2 ** 31 - 7].map(named);
  const others = ["lock-1", "_c_x-lease-0000000001", "locks", `__lock__${"1".repeat(12)}`];
  t.deepEqual(
    membersOf([...names, ...others], ["lock-", "__lock__"]).map(({ name }) => name),
    [2 ** 31 - 7, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5].map(named),
  );
});

test("a session is valid from when a ping was sent, not from when its answer came", (t) => {
  const options = { ensemble: "zooid", sessionTimeoutMs: 10_000, operationTimeoutMs: 1_000 };
  const at = (nowMs: number): { nowMs: number; random: () => number } => ({
    nowMs,
    random: () => 0.5,
  });
  const { state } = start({ options, up: true }, at(0));
  let sequence = 0;
  const say = (item: GatewayItem, nowMs: number): void => {
    const bytes = encodeGatewayFrame({ sequence, items: [item] });
    sequence += 1;
    receive(state, { kind: "received", connection: state.connection, bytes }, at(nowMs));
  };
  const opened = { session: 7 as SessionId, password: new Uint8Array(16), timeoutMs: 10_000 };
  say({ kind: "opened", ...opened, server: 1, lane: 1, zxid: 1 as Zxid }, 900);
  t.is(state.validUntilMs, 6_000);
  receive(state, { kind: "timer", timer: "tick" }, at(4_200));
  say({ kind: "pong", zxid: 1 as Zxid }, 5_000);
  t.is(state.validUntilMs, 4_200 + 6_000);
});
