/** Events in the queue of a connection's requests: where they stand, and that those which wait are not counted through again. */
import test from "ava";
import { RequestQueue } from "../../../actors/gateway/request-queue.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Read } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

type Request =
  | { readonly kind: "ping" }
  | { readonly kind: "event"; readonly path: string }
  | { readonly kind: "read"; readonly read: Read }
  | { readonly kind: "write"; readonly operation: ClientOperation };

const ZXID = 5 as Zxid;
const event = (path: string): Request => ({ kind: "event", path });

function shown(queue: RequestQueue<Request>): string[] {
  const replies: string[] = [];
  for (let entry = queue.ready(); entry !== undefined; entry = queue.ready()) {
    const { request } = entry;
    replies.push(request.kind === "event" ? request.path : request.kind);
    queue.shift();
  }
  return replies;
}

test("events stand behind the answers that are ready, and before the requests that wait", (t) => {
  const queue = new RequestQueue<Request>();
  const read = { kind: "exists", path: "/a", watch: false } as const;
  queue.push({ kind: "ping" }, -2, 8, 0);
  queue.push({ kind: "read", read }, 1, 16, 0);
  queue.dispatch({ readable: true, writable: true, admission: "all" });
  queue.insertEvents([event("/a"), event("/b")], 0);
  queue.insertEvents([event("/c")], 0);
  t.deepEqual(shown(queue), ["ping", "/a", "/b", "/c"]);
  queue.insertEvents([event("/d")], 0);
  queue.answerReads(ZXID, [{ kind: "done" }], "all");
  queue.insertEvents([event("/e")], 0);
  t.deepEqual(shown(queue), ["/d", "read", "/e"]);
});

test("more events at once than a call takes arguments are queued", (t) => {
  const queue = new RequestQueue<Request>();
  queue.insertEvents(
    Array.from({ length: 300_000 }, () => event("/a")),
    0,
  );
  t.is(shown(queue).length, 300_000);
});

test("200,000 events that wait for a client are not looked through with each further one", (t) => {
  const queue = new RequestQueue<Request>();
  // By the square it would be 2 * 10^10 steps, and no end in sight.
  for (let index = 0; index < 200_000; index += 1) queue.insertEvents([event("/a")], 0);
  t.is(queue.length, 200_000);
});
