/** The requests of one connection, as a plain object: what goes out together, what waits for what, and how replies leave. */
import { queryObjects } from "node:v8";
import test from "ava";
import { type Entry, type Run, RequestQueue } from "../../../actors/gateway/request-queue.ts";
import { Code } from "../../../protocol/codes.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Read } from "../../../protocol/reads.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { TreeReadResult } from "../../../actors/tree/messages.ts";

type Request =
  | { readonly kind: "ping" }
  | { readonly kind: "event"; readonly path: string }
  | { readonly kind: "read"; readonly read: Read }
  | { readonly kind: "write"; readonly operation: ClientOperation };

const ZXID = 5 as Zxid;
const DONE = { kind: "done" } as const;
const FITS = { kind: "growth", grows: false } as const;
const GROWS = { kind: "growth", grows: true } as const;

const read: Request = { kind: "read", read: { kind: "getChildren", path: "/a", watch: false } };
const get: Request = { kind: "read", read: { kind: "getData", path: "/a", watch: false } };
const set: Request = {
  kind: "write",
  operation: { kind: "setData", path: "/a", data: null, version: -1 },
};
const remove: Request = { kind: "write", operation: { kind: "delete", path: "/a", version: -1 } };
const close: Request = { kind: "write", operation: { kind: "closeSession" } };
const ping: Request = { kind: "ping" };
const event = (path: string): Request => ({ kind: "event", path });

/** `r` a read that waits, `g` one that travels, `w` a write that may grow the tree, `d` a write that does not, `c` a closeSession, `p` a ping; numbered from 1. */
const REQUESTS: Readonly<Record<string, Request>> = {
  r: read,
  g: get,
  w: set,
  d: remove,
  c: close,
  p: ping,
};

function queueOf(requests: string): RequestQueue<Request> {
  const queue = new RequestQueue<Request>();
  for (const [index, letter] of requests.split("").entries()) {
    queue.push(REQUESTS[letter] ?? ping, index + 1, 10, 0);
  }
  return queue;
}

const ANSWER_BYTES_MAX = 1024 * 1024;

type Limits = { answerBytesMax?: number; writable?: boolean; admission?: WriteAdmission };

function dispatch(queue: RequestQueue<Request>, limits: Limits = {}): Run {
  return queue.dispatch({
    answerBytesMax: ANSWER_BYTES_MAX,
    writable: true,
    admission: "all",
    ...limits,
  });
}

/** What goes out now: `rr` two reads, `?r` a question whether a write fits and a read, `ww` two writes. */
function goes(queue: RequestQueue<Request>, limits: Limits = {}): string {
  const { reads, writes } = dispatch(queue, limits);
  return (
    reads.map(({ kind }) => (kind === "growth" ? "?" : "r")).join("") + "w".repeat(writes.length)
  );
}

function results(queue: RequestQueue<Request>, ...list: readonly TreeReadResult[]): void {
  queue.answerReads(ZXID, list, "noGrowth");
}

function written(queue: RequestQueue<Request>, count: number): void {
  const list = Array.from({ length: count }, () => DONE);
  queue.answerWrites(
    list.map(() => ZXID),
    list,
  );
}

const shown = ({ request, id, state }: Entry<Request>): string => {
  if (request.kind === "event") return request.path;
  return state === "refused" ? `${id} refused` : String(id);
};

/** What leaves in request order. */
function inOrder(queue: RequestQueue<Request>): string[] {
  const replies: string[] = [];
  for (let entry = queue.ready(); entry !== undefined; entry = queue.ready()) {
    replies.push(shown(entry));
    queue.shift();
  }
  return replies;
}

/** What goes out of a new queue, then after all of that has its results, and so on. */
function runs(requests: string, limits: Limits = {}): string[] {
  const queue = queueOf(requests);
  const out: string[] = [];
  for (let run = goes(queue, limits); run !== ""; run = goes(queue, limits)) {
    out.push(run);
    if (run.startsWith("w")) written(queue, run.length);
    else results(queue, ...run.split("").map((each) => (each === "?" ? FITS : DONE)));
  }
  return out;
}

const ORDER: readonly [string, Limits, string[]][] = [
  ["rrr", {}, ["rrr"]],
  ["www", {}, ["www"]],
  ["rrw", {}, ["rr", "w"]],
  ["wwr", {}, ["ww", "r"]],
  ["wrwrw", {}, ["w", "r", "w", "r", "w"]],
  ["rpr", {}, ["rr"]],
  ["pwpw", {}, ["ww"]],
  ["wcw", {}, ["ww", "w"]],
  ["rw", { answerBytesMax: 0 }, []],
  ["wr", { answerBytesMax: 0 }, ["w"]],
  ["wr", { writable: false }, []],
  ["rw", { writable: false }, ["r"]],
  ["wwr", { admission: "sessionsOnly" }, ["r"]],
  ["wcr", { admission: "none" }, ["w", "r"]],
  ["dr", { admission: "noGrowth" }, ["w", "r"]],
  ["wr", { admission: "noGrowth" }, ["?", "w", "r"]],
  ["rwwr", { admission: "noGrowth" }, ["r??", "ww", "r"]],
  ["wdw", { admission: "noGrowth" }, ["?", "ww", "?", "w"]],
];

for (const [requests, limits, expected] of ORDER) {
  const when = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
  test(`${[requests, ...when].join(", ")}: goes out as ${expected.join(" | ")}`, (t) => {
    t.deepEqual(runs(requests, limits), expected);
  });
}

test("nothing goes while reads are out, and no read while a write is", (t) => {
  const reads = queueOf("r");
  t.is(goes(reads), "r");
  for (const each of [read, set]) reads.push(each, 2, 10, 0);
  t.is(goes(reads), "");
  const writes = queueOf("w");
  t.is(goes(writes), "w");
  writes.push(set, 2, 10, 0);
  writes.push(read, 3, 10, 0);
  t.is(goes(writes), "w", "a write need not wait for a write");
  t.is(writes.writesOut, 2);
  written(writes, 1);
  t.is(goes(writes), "", "the other write is still out");
  written(writes, 1);
  t.is(goes(writes), "r");
});

test("behind a closeSession nothing goes out with it", (t) => {
  t.is(goes(queueOf("wcw")), "ww");
});

test("reads that the tree did not answer go out again, before what stands behind them", (t) => {
  const queue = queueOf("rrrw");
  t.is(goes(queue), "rrr");
  results(queue, DONE);
  t.deepEqual(inOrder(queue), ["1"]);
  t.is(goes(queue), "rr");
  results(queue, DONE, DONE);
  t.is(goes(queue), "w");
});

test("a write that grows the tree is refused, in its place, while there is no space for that", (t) => {
  const queue = queueOf("www");
  t.is(goes(queue, { admission: "noGrowth" }), "???");
  results(queue, FITS, GROWS, FITS);
  t.is(goes(queue, { admission: "noGrowth" }), "ww");
  t.deepEqual(inOrder(queue), [], "the first write has no result yet");
  written(queue, 2);
  t.deepEqual(inOrder(queue), ["1", "2 refused", "3"]);
});

test("a write that was found to grow the tree is done when there is space for it again", (t) => {
  const queue = queueOf("w");
  t.is(goes(queue, { admission: "noGrowth" }), "?");
  queue.answerReads(ZXID, [GROWS], "all");
  t.is(goes(queue), "w");
});

const CODES: readonly [WriteAdmission, number][] = [
  ["sessionsOnly", Code.notReadOnly],
  ["none", Code.notReadOnly],
];
for (const [admission, code] of CODES) {
  test(`a write that is refused for ${admission} is handed to nobody, and answered ${code}`, (t) => {
    const queue = queueOf("w");
    t.is(goes(queue, { admission }), "");
    t.like(queue.ready(), { state: "refused", result: { kind: "error", code } });
  });
}

test("replies leave in the order of their requests, or as they come", (t) => {
  for (const [take, expected] of [
    [inOrder, [[], ["1", "2 refused"]]],
    [(queue: RequestQueue<Request>) => queue.takeAnswered().map(shown), [["2 refused"], ["1"]]],
  ] as const) {
    const queue = queueOf("w");
    goes(queue);
    queue.push(set, 2, 10, 0);
    goes(queue, { admission: "none" });
    const before = take(queue);
    written(queue, 1);
    t.deepEqual([before, take(queue)], expected);
    t.is(queue.length, 0);
    t.is(queue.bytes, 0);
  }
});

test("a refusal that was taken from behind a write leaves the others' results where they belong", (t) => {
  const queue = queueOf("wwr");
  goes(queue, { admission: "noGrowth" });
  results(queue, FITS, GROWS);
  t.deepEqual(queue.takeAnswered().map(shown), ["2 refused"]);
  t.is(goes(queue, { admission: "noGrowth" }), "w");
  written(queue, 1);
  t.deepEqual(queue.takeAnswered().map(shown), ["1"]);
  t.is(goes(queue), "r");
  results(queue, DONE);
  t.deepEqual(queue.takeAnswered().map(shown), ["3"]);
});

test("requests count until they leave, answers to reads from when they are there", (t) => {
  const queue = queueOf("rr");
  t.is(queue.bytes, 20);
  t.is(queue.answerBytes, 0);
  goes(queue);
  const data = new Uint8Array(1000);
  const stat = {} as never;
  const bytes = queue.answerReads(ZXID, [{ kind: "data", data, stat }, DONE], "all");
  t.true(bytes >= 1000);
  t.is(queue.answerBytes, bytes);
  t.is(queue.length, 2);
  inOrder(queue);
  t.deepEqual([queue.length, queue.bytes, queue.answerBytes], [0, 0, 0]);
});

test("pings are taken out of their order, and what was dispatched stays so", (t) => {
  const queue = queueOf("wprpw");
  t.is(goes(queue), "w");
  t.is(queue.take(({ request }) => request.kind === "ping").length, 2);
  t.is(queue.length, 3);
  t.is(goes(queue), "", "the write is still out");
  written(queue, 1);
  t.is(goes(queue), "r");
  results(queue, DONE);
  t.is(goes(queue), "w");
});

test("a result that nobody waits for is a bug", (t) => {
  const queue = queueOf("r");
  t.throws(() => results(queue, DONE), { message: /only reads that were asked/ });
  t.throws(() => written(queue, 1), { message: /a request that waits for it/ });
  goes(queue);
  t.throws(() => written(queue, 1), { message: /a request that waits for it/ });
});

test("events stand behind the answers that are ready, and before the requests that wait", (t) => {
  const queue = queueOf("pr");
  dispatch(queue);
  queue.insertEvents([event("/a"), event("/b")], 0);
  queue.insertEvents([event("/c")], 0);
  t.deepEqual(inOrder(queue), ["1", "/a", "/b", "/c"]);
  queue.insertEvents([event("/d")], 0);
  results(queue, DONE);
  queue.insertEvents([event("/e")], 0);
  t.deepEqual(inOrder(queue), ["/d", "2", "/e"]);
});

test("more events at once than a call takes arguments are queued", (t) => {
  const queue = new RequestQueue<Request>();
  queue.insertEvents(
    Array.from({ length: 300_000 }, () => event("/a")),
    0,
  );
  t.is(inOrder(queue).length, 300_000);
});

test("200,000 events that wait for a client are not looked through with each further one", (t) => {
  const queue = new RequestQueue<Request>();
  // By the square it would be 2 * 10^10 steps, and no end in sight.
  for (let index = 0; index < 200_000; index += 1) queue.insertEvents([event("/a")], 0);
  t.is(queue.length, 200_000);
});

test("what a reply was made of is let go with the reply, though requests are always outstanding", (t) => {
  class Payload {}
  type Carrying = { readonly kind: "ping"; readonly payload: Payload };
  const queue = new RequestQueue<Carrying>();
  const push = (id: number): void => queue.push({ kind: "ping", payload: new Payload() }, id, 1, 0);
  push(1);
  for (let id = 2; id <= 500; id += 1) {
    push(id);
    queue.dispatch({ answerBytesMax: ANSWER_BYTES_MAX, writable: true, admission: "all" });
    t.is(queue.ready()?.id, id - 1);
    queue.shift();
  }
  t.is(queryObjects(Payload, { format: "count" }), 1);
});
