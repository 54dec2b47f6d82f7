/** A client's session against a gateway made of plain calls: what is lost, what is asked again, what goes on. */
import test from "ava";
import type { StreamEvent } from "../../../client/streams/events.ts";
import { Client } from "../../../client/client.ts";
import { changesOf } from "../../../client/streams/changes.ts";
import type { ZooidError } from "../../../protocol/errors.ts";
import { Code } from "../../../protocol/codes.ts";
import { encodeGatewayFrame } from "../../../protocol/native.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import {
  connected,
  GET,
  outcome,
  PASSWORD,
  SESSION,
  SET,
  setup,
  STAT,
} from "../../support/native-session.ts";

test("what is asked before the session is open is said once it is, to its gateway", async (t) => {
  const { gateway, session } = setup(t);
  const answer = session.request(GET);
  t.like(await gateway.hears(), [{ kind: "open", session: 0 }]);
  gateway.accept(10, 3);
  await Promise.resolve();
  t.like(gateway.said, [{ subject: "zooid.test.gateway.3.1", item: { kind: "request", id: 1 } }]);
  const result = { kind: "data", data: null, stat: STAT } as const;
  gateway.answer({ kind: "result", id: 1, zxid: 12 as Zxid, result });
  t.deepEqual(await answer, { zxid: 12 as Zxid, result });
  t.is(session.lastZxid, 12 as Zxid);
});

test("a lost node: the client attaches again, and asks again what it had asked, in its order", async (t) => {
  const { gateway, session } = await connected(t);
  const [read, write] = [session.request(GET), session.request(SET)];
  await gateway.hears();
  gateway.happen({ kind: "noResponders", connection: gateway.connection });
  t.like(await gateway.hears(), [{ kind: "open", session: SESSION, password: PASSWORD }]);
  t.is(session.state.kind, "reconnecting");
  gateway.accept(11, 2);
  const again = await gateway.hears();
  t.is(again.length, 2);
  t.like(again, [
    { kind: "request", id: 1, request: GET },
    { kind: "request", id: 2, request: SET },
  ]);
  t.like(session.state, { kind: "connected", session: SESSION, server: 2 });
  const result = { kind: "data", data: null, stat: STAT } as const;
  gateway.answer({ kind: "result", id: 1, zxid: 12 as Zxid, result });
  t.like(await read, { zxid: 12 as Zxid });
  // It was done before the client came, at a zxid that is not the latest.
  gateway.answer({ kind: "result", id: 2, zxid: 9 as Zxid, result: { kind: "stat", stat: STAT } });
  t.like(await write, { zxid: 9 as Zxid });
});

test("list, then follow: a stream begins at what its caller has listed, not at what others were answered since", async (t) => {
  const { gateway, session } = await connected(t);
  const client = new Client(session);
  const listed = client.children("/m");
  const other = client.get("/other");
  await gateway.hears();
  const children = { kind: "children", children: ["x"], stat: STAT } as const;
  const data = { kind: "data", data: null, stat: STAT } as const;
  gateway.answer(
    { kind: "result", id: 1, zxid: 12 as Zxid, result: children },
    { kind: "result", id: 2, zxid: 15 as Zxid, result: data },
  );
  t.like(await listed, { children: ["x"], zxid: 12 as Zxid });
  await other;
  t.is(client.lastZxid, 15 as Zxid);
  client.changes("/m").subscribe();
  client.changes("/never-read").subscribe();
  t.like(await gateway.hears(), [
    { kind: "openStream", path: "/m", after: 12 as Zxid },
    { kind: "openStream", path: "/never-read", after: 15 as Zxid },
  ]);
});

test("exists tells its zxid also when there is no such node, and what follows begins there", async (t) => {
  const { gateway, session } = await connected(t);
  const client = new Client(session);
  const asked = client.exists("/none");
  await gateway.hears();
  gateway.answer(
    { kind: "result", id: 1, zxid: 12 as Zxid, result: { kind: "error", code: -101 } },
    { kind: "pong", zxid: 20 as Zxid },
  );
  t.deepEqual(await asked, { stat: undefined, zxid: 12 as Zxid });
  client.changes("/none").subscribe();
  t.like(await gateway.hears(), [{ kind: "openStream", path: "/none", after: 12 as Zxid }]);
});

const doubt = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => "done",
    (error: ZooidError) => `${error.code} ${error.maybeApplied}`,
  );

test("an error says whether a write may have been done: only one that was sent may, on whatever connection", async (t) => {
  const { gateway, session } = await connected(t);
  const sent = doubt(session.request(SET));
  await gateway.hears();
  gateway.happen({ kind: "noResponders", connection: gateway.connection });
  gateway.accept(11);
  t.like(await gateway.hears(), [{ kind: "open" }, { kind: "request", id: 1 }]);
  const read = doubt(session.request(GET));
  await gateway.hears();
  gateway.happen({ kind: "down" });
  const neverSent = doubt(session.request(SET));
  await session.close();
  t.is(await sent, "ZOOID_CLOSED unknown");
  t.is(await neverSent, "ZOOID_CLOSED no");
  t.is(await read, "ZOOID_CLOSED no");
});

test("a write under way when its session expires may have been done, one that waited was not", async (t) => {
  const { gateway, session } = await connected(t);
  const underWay = doubt(session.request(SET));
  await gateway.hears();
  const waited = doubt(session.request(SET));
  gateway.frame(0, [{ kind: "ended", reason: "expired" }]);
  t.is(await underWay, "ZOOID_SESSION_EXPIRED unknown");
  t.is(await waited, "ZOOID_SESSION_EXPIRED no");
});

test("a lost message of the gateway is noticed by the next", async (t) => {
  const { gateway, session } = await connected(t);
  gateway.frame(3, [{ kind: "pong", zxid: 99 as Zxid }]);
  t.is(session.lastZxid, 10 as Zxid);
  t.like(await gateway.hears(), [{ kind: "open", session: SESSION }]);
});

test("frames of an earlier connection are not heard", async (t) => {
  const { gateway, session } = await connected(t);
  const earlier = gateway.connection;
  gateway.happen({ kind: "noResponders", connection: earlier });
  gateway.accept(11);
  const bytes = encodeGatewayFrame({ sequence: 2, items: [{ kind: "pong", zxid: 99 as Zxid }] });
  gateway.happen({ kind: "received", connection: earlier, bytes });
  gateway.happen({ kind: "noResponders", connection: earlier });
  t.is(session.lastZxid, 11 as Zxid);
  t.is(session.state.kind, "connected");
});

test("while the NATS server is away nothing is said, and then the session goes on", async (t) => {
  const { gateway, session } = await connected(t);
  gateway.happen({ kind: "down" });
  void session.request(SET).catch(() => undefined);
  t.deepEqual(await gateway.hears(), []);
  gateway.happen({ kind: "up" });
  t.like(await gateway.hears(), [{ kind: "open", session: SESSION }]);
  gateway.accept(11);
  t.like(await gateway.hears(), [{ kind: "request", request: { kind: "write" } }]);
});

test("a write that was refused because the session moved is asked again", async (t) => {
  const { gateway, session } = await connected(t);
  const write = session.request(SET);
  await gateway.hears();
  gateway.answer({
    kind: "result",
    id: 1,
    zxid: 11 as Zxid,
    result: { kind: "error", code: -118 },
  });
  gateway.frame(0, [{ kind: "ended", reason: "moved" }]);
  t.like(await gateway.hears(), [{ kind: "open" }]);
  gateway.accept(12);
  t.like(await gateway.hears(), [{ kind: "request", id: 1 }]);
  gateway.answer({ kind: "result", id: 1, zxid: 13 as Zxid, result: { kind: "stat", stat: STAT } });
  t.like(await write, { zxid: 13 as Zxid });
});

test("an expired session rejects everything, ends its streams and closes the connection", async (t) => {
  const { gateway, session } = await connected(t);
  const asked = outcome(session.request(GET));
  let streamError: ZooidError | undefined;
  changesOf(session, "/", {}).subscribe({
    error: (error: ZooidError) => {
      streamError = error;
    },
  });
  gateway.frame(0, [{ kind: "ended", reason: "expired" }]);
  t.is(await asked, "ZOOID_SESSION_EXPIRED");
  t.is(await outcome(session.request(GET)), "ZOOID_SESSION_EXPIRED");
  t.is(streamError?.code, "ZOOID_SESSION_EXPIRED");
  t.is(session.state.kind, "expired");
  t.true(gateway.closed);
});

test("closing ends the session at its gateway and rejects what waits", async (t) => {
  const { gateway, session } = await connected(t);
  const closing = session.close();
  t.like(await gateway.hears(), [
    { kind: "request", request: { operation: { kind: "closeSession" } } },
  ]);
  const waiting = outcome(session.request(GET));
  gateway.answer({ kind: "result", id: 1, zxid: 11 as Zxid, result: { kind: "done" } });
  await closing;
  t.is(await waiting, "ZOOID_CLOSED");
  t.is(await outcome(session.request(GET)), "ZOOID_CLOSED");
});

const change = (zxid: number, index = 0): Change => ({
  zxid: zxid as Zxid,
  index,
  kind: "data",
  path: "/a",
  stat: STAT,
  data: null,
});

test("a stream goes on after a reconnect from what it has delivered, without a gap or a repeat", async (t) => {
  const { gateway, session } = await connected(t);
  const heard: StreamEvent[] = [];
  changesOf(session, "/a", { progressMs: 0 }).subscribe((event) => heard.push(event));
  t.like(await gateway.hears(), [{ kind: "openStream", stream: 1, path: "/a", after: 10 as Zxid }]);
  const changes = [change(11), change(11, 1), change(12)];
  gateway.answer({ kind: "changes", stream: 1, through: 15 as Zxid, changes });
  gateway.happen({ kind: "noResponders", connection: gateway.connection });
  gateway.accept(20);
  t.like(await gateway.hears(), [
    { kind: "open" },
    { kind: "openStream", stream: 1, after: 15 as Zxid },
  ]);
  gateway.answer({ kind: "changes", stream: 1, through: 21 as Zxid, changes: [change(16)] });
  t.deepEqual(heard, [
    ...changes,
    { kind: "progress", zxid: 15 as Zxid },
    change(16),
    { kind: "progress", zxid: 21 as Zxid },
  ]);
});

test("credits are granted as changes are delivered", async (t) => {
  const { gateway, session } = await connected(t);
  changesOf(session, "/a", { from: 3 as Zxid }).subscribe();
  t.like(await gateway.hears(), [{ kind: "openStream", after: 3 as Zxid, credits: 8192 }]);
  const changes = Array.from({ length: 5000 }, (_, index) => change(11 + index));
  gateway.answer({ kind: "changes", stream: 1, through: 6000 as Zxid, changes });
  t.deepEqual(await gateway.hears(), [{ kind: "credit", stream: 1, credits: 5000 }]);
});

test("a stream whose changes are no longer kept fails with where the gap is", async (t) => {
  const { gateway, session } = await connected(t);
  const errors: unknown[] = [];
  changesOf(session, "/a", {}).subscribe({ error: (error) => errors.push(error) });
  gateway.answer({ kind: "compacted", stream: 1, oldest: 40 as Zxid });
  t.like(errors[0], { code: "ZOOID_GAP", path: "/a", from: 10 as Zxid, to: 40 as Zxid });
});

test("a stream that the gateway refuses errors, and the others go on", async (t) => {
  const { gateway, session } = await connected(t);
  const errors: unknown[] = [];
  changesOf(session, "/a", {}).subscribe({ error: (error) => errors.push(error.code) });
  const others: StreamEvent[] = [];
  changesOf(session, "/b", { progressMs: 0 }).subscribe((event) => others.push(event));
  gateway.answer({ kind: "streamRefused", stream: 1, code: Code.badArguments });
  gateway.answer({ kind: "changes", stream: 2, through: 11 as Zxid, changes: [] });
  t.deepEqual(errors, ["ZOOID_BAD_ARGUMENTS"]);
  t.deepEqual(others, [{ kind: "progress", zxid: 11 as Zxid }]);
});

test("requests under way are limited in bytes; the others wait for answers", async (t) => {
  const { gateway, session } = await connected(t);
  const data = new Uint8Array(1_000_000);
  const operation = { kind: "setData", path: "/a", data, version: -1 } as const;
  const asked = [1, 2, 3, 4].map(() => session.request({ kind: "write", operation }));
  t.is((await gateway.hears()).length, 3);
  gateway.answer({ kind: "result", id: 1, zxid: 11 as Zxid, result: { kind: "done" } });
  await asked[0];
  t.like(await gateway.hears(), [{ kind: "request", id: 4 }]);
  for (const each of asked.slice(1)) each.catch(() => undefined);
});

test("a stream that is left is closed at the gateway", async (t) => {
  const { gateway, session } = await connected(t);
  changesOf(session, "/a", {}).subscribe().unsubscribe();
  t.like(await gateway.hears(), [{ kind: "openStream" }, { kind: "closeStream", stream: 1 }]);
});

test("a subscriber that gives up, or subscribes again, while it is told disturbs no other", async (t) => {
  const { gateway, session } = await connected(t);
  const zxids = (heard: number[]) => (event: StreamEvent) => {
    if ("path" in event) heard.push(event.zxid);
  };
  const [heard, later, third]: [number[], number[], number[]] = [[], [], []];
  const first = changesOf(session, "/a", {}).subscribe((event) => {
    zxids(heard)(event);
    second.unsubscribe();
    changesOf(session, "/a", {}).subscribe(zxids(later));
  });
  const second = changesOf(session, "/a", {}).subscribe(() => t.fail());
  changesOf(session, "/a", {}).subscribe(zxids(third));
  const portion = (stream: number, through: number, ...changes: Change[]): void =>
    gateway.answer({ kind: "changes", stream, through: through as Zxid, changes });
  portion(1, 12, change(11));
  t.deepEqual([heard, later, third], [[11], [], [11]]);
  t.like(await gateway.hears(), [
    { kind: "openStream", stream: 1 },
    { kind: "openStream", stream: 2, after: 12 as Zxid },
  ]);
  portion(2, 12);
  first.unsubscribe();
  portion(1, 13, change(13));
  t.deepEqual([heard, later, third], [[11], [13], [11, 13]]);
});

test("a subscriber that subscribes while it is told begins there, whatever else its frame holds", async (t) => {
  const { gateway, session } = await connected(t);
  changesOf(session, "/a", {}).subscribe(() => changesOf(session, "/b", {}).subscribe());
  await gateway.hears();
  gateway.answer(
    { kind: "changes", stream: 1, through: 12 as Zxid, changes: [change(12)] },
    { kind: "pong", zxid: 20 as Zxid },
  );
  t.like(await gateway.hears(), [{ kind: "openStream", path: "/b", after: 12 as Zxid }]);
});

test("a closed session whose gateway does not answer ends all the same", async (t) => {
  const { gateway, session } = await connected(t);
  const closing = session.close();
  await gateway.hears();
  gateway.happen({ kind: "noResponders", connection: gateway.connection });
  await closing;
  t.is(session.state.kind, "closed");
  t.true(gateway.closed);
});

test("a stream above the limit is refused, and those below go on", async (t) => {
  const { session } = await connected(t);
  const codes: string[] = [];
  for (let count = 0; count < 1001; count += 1) {
    changesOf(session, "/a", {}).subscribe({
      error: (error: ZooidError) => codes.push(error.code),
    });
  }
  t.deepEqual(codes, ["ZOOID_BAD_ARGUMENTS"]);
});

test("a session whose connections end again and again waits before the next, and tells why", async (t) => {
  const { gateway, session } = await connected(t);
  let opened = 0;
  for (let round = 0; round < 50; round += 1) {
    gateway.frame(0, [{ kind: "ended", reason: "limit" }]);
    const items = await gateway.hears();
    if (items[0]?.kind !== "open") break;
    opened += 1;
    gateway.accept(11 + round);
    await gateway.hears();
  }
  t.is(opened, 1, "the first is replaced at once, in case a node died");
  t.like(session.state, {
    kind: "reconnecting",
    reason: "ended by the node: limit",
    failures: 2,
  });
});

test("a node that stops is left at once, as often as nodes stop, and its requests are asked again", async (t) => {
  const { gateway, session } = await connected(t);
  const write = session.request(SET);
  await gateway.hears();
  for (let round = 0; round < 5; round += 1) {
    gateway.frame(0, [{ kind: "ended", reason: "stopping" }]);
    t.like(session.state, { kind: "reconnecting", reason: "the node stops", failures: 0 });
    t.like(await gateway.hears(), [{ kind: "open", session: SESSION }]);
    gateway.accept(11 + round);
    t.like(await gateway.hears(), [{ kind: "request", id: 1 }]);
  }
  gateway.answer({ kind: "result", id: 1, zxid: 20 as Zxid, result: { kind: "stat", stat: STAT } });
  t.like(await write, { zxid: 20 as Zxid });
});

test("identities are proved first on each connection, and an ensemble that takes none ends the client", async (t) => {
  const data = new TextEncoder().encode("ann:secret");
  const { gateway, session } = setup(t, [data]);
  const answer = outcome(session.request(GET));
  await gateway.hears();
  gateway.accept(10);
  const proof = { kind: "auth", data } as const;
  t.like(await gateway.hears(), [proof, { kind: "request" }]);
  gateway.frame(0, [{ kind: "ended", reason: "unknown" }]);
  t.like(await gateway.hears(), [{ kind: "open", session: SESSION }]);
  gateway.accept(11);
  t.like(await gateway.hears(), [proof, { kind: "request" }]);
  gateway.frame(0, [{ kind: "ended", reason: "authFailed" }]);
  t.is(await answer, "ZOOID_UNREACHABLE");
  t.true(gateway.closed);
});
