/** What the recording of clients' requests makes of frames, and what is kept of it in `shapes.json`. */
import { readFileSync } from "node:fs";
import test from "ava";
import { frame, JuteWriter } from "../../support/jute.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import * as zk from "../../support/zookeeper-client/operations.ts";
import { type CountedShape, Recorder, Recording } from "./record.ts";
import type { Shape } from "./shape.ts";

function request(operation: zk.Operation, xid = 1): Buffer {
  return frame(new JuteWriter().int(xid).int(operation.type).raw(operation.body).bytes());
}

function reply(xid: number): Buffer {
  return frame(new JuteWriter().int(xid).long(1n).int(0).bytes());
}

function shapesOf(recording: Recording): Shape[] {
  return recording.shapes().map(({ count: _count, clients: _clients, ...shape }) => shape);
}

test("a request's shape has its kind, flags, depth, size and schemes, and none of its names", (t) => {
  const recording = new Recording();
  const recorder = new Recorder(recording, "test");
  recorder.sent(connectFrame({ port: 1, readOnly: "absent" }));
  const acl = [{ perms: 31, scheme: "auth", id: "" }];
  recorder.sent(request(zk.create("/a/b", "hello", { mode: 3, acl })));
  recorder.sent(request(zk.multi(zk.remove("/a", 3), zk.setData("/", null))));
  recorder.sent(request(zk.setWatches2(1n, { data: ["/a", "/b"], recursive: ["/"] })));
  t.false(shapesOf(recording).some(({ op }) => op === "connect"));
  recorder.received(frame(Buffer.alloc(36)));
  t.deepEqual(shapesOf(recording), [
    { op: "connect", timeoutMs: 10_000, readOnly: "absent", session: "new" },
    { op: "create", flags: 3, depth: 2, bytes: 16, acl: ["31 auth"] },
    {
      op: "multi",
      members: [
        { op: "delete", depth: 1, version: "given" },
        { op: "setData", depth: 0, bytes: null, version: "any" },
      ],
    },
    { op: "setWatches2", watches: [2, 0, 0, 0, 1] },
  ]);
});

test("a burst is as long as the most requests that were unanswered at once, in whatever pieces they came", (t) => {
  const recording = new Recording();
  const recorder = new Recorder(recording, "test");
  const get = zk.getData("/a");
  const sent = [
    connectFrame({ port: 1 }),
    request(get, 1),
    request(get, 2),
    request(zk.ping(), -2),
  ];
  for (const byte of Buffer.concat(sent)) recorder.sent(Buffer.of(byte));
  recorder.received(frame(Buffer.alloc(36)));
  for (const xid of [-1, 1, -2]) recorder.received(reply(xid));
  recorder.sent(request(get, 3));
  for (const xid of [2, 3]) recorder.received(reply(xid));
  t.deepEqual(shapesOf(recording).at(0), { op: "burst", length: 2 });
});

test("the recorded shapes hold what the clients are known for", (t) => {
  const file = readFileSync(new URL("../shapes.json", import.meta.url), "utf8");
  const shapes = JSON.parse(file) as readonly CountedShape[];
  const has = (client: string, shape: Partial<Shape>): boolean =>
    shapes.some(
      (each) =>
        each.count > 0 &&
        each.clients.some((name) => name.startsWith(client)) &&
        Object.entries(shape).every(([key, value]) => each[key as keyof Shape] === value),
    );
  t.true(has("kazoo", { op: "create", flags: 3 }));
  t.true(has("curator", { op: "addWatch", mode: 1 }));
  t.true(has("java", { op: "setWatches2" }));
  t.true(has("c mt", { op: "multi" }));
  t.true(has("node", { op: "connect", readOnly: "absent" }));
});
