/** Requests of attached clients: their order, their limits, and what reaches the tree and the submitter. */
import test from "ava";
import fc from "fast-check";
import { Code } from "../../../protocol/codes.ts";
import { CONNECTION_REQUESTS_MAX, PACKET_BYTES_MAX } from "../../../protocol/limits.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { GatewayDriver, replyHeaders, requestFrame, STAT } from "../../support/gateway-driver.ts";
import {
  closeSession,
  create,
  createTtl,
  exists,
  getChildren,
  getData,
  multi,
  type Operation,
  ping,
  remove,
  setData,
  sync,
  unknown,
} from "../../support/zookeeper-client/operations.ts";

function attached(extendedTypes = true): GatewayDriver {
  const gateway = new GatewayDriver({ extendedTypes });
  gateway.leadership("following");
  gateway.attach(1);
  return gateway;
}

function pipeline(requests: readonly Operation[]): Buffer {
  return Buffer.concat(requests.map((request, index) => requestFrame(index + 1, request)));
}

function toldKinds(gateway: GatewayDriver): string[] {
  return gateway.told.map(({ to, message }) => {
    const count =
      message.kind === "read"
        ? message.reads.length
        : message.kind === "write"
          ? message.operations.length
          : 0;
    return `${to} ${message.kind} ${count}`;
  });
}

/** The tree's answer to the reads told first, of which it answers so many. */
function answerReads(gateway: GatewayDriver, count: number, data = new Uint8Array(1)): void {
  const told = gateway.told.shift()?.message;
  if (told?.kind !== "read") throw new Error("no reads were told");
  const results = told.reads
    .slice(0, count)
    .map(() => ({ kind: "data", data, stat: STAT }) as const);
  gateway.tell({ kind: "readDone", client: 1, zxid: 0x1_0000_0001 as Zxid, results });
}

test("a run of reads goes to the tree as one message, the writes and the reads behind them as one more", (t) => {
  const gateway = attached();
  const read = getData("/a");
  const write = setData("/a", "x");
  gateway.bytes(1, pipeline([read, read, read, write, write, read]));
  t.deepEqual(toldKinds(gateway), ["tree/1 read 3", "submitter/1 write 2"]);
  t.like(gateway.told[1]?.message, { travelling: [{ after: 2, reads: [{ kind: "getData" }] }] });
});

test("reads that the tree did not answer are asked again, before the write behind them", (t) => {
  const gateway = attached();
  const read = getChildren("/a");
  gateway.bytes(1, pipeline([read, read, ping(), read, setData("/a", "x")]));
  t.deepEqual(toldKinds(gateway), ["tree/1 read 3"]);
  answerReads(gateway, 1);
  t.deepEqual(toldKinds(gateway), ["tree/1 read 2"]);
  answerReads(gateway, 1);
  t.deepEqual(toldKinds(gateway), ["tree/1 read 1"]);
  answerReads(gateway, 1);
  t.deepEqual(toldKinds(gateway), ["submitter/1 write 1"]);
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [1, 2, -2, 4],
  );
});

test("no read is begun while answers wait for a client that does not take them", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline(Array.from({ length: 9 }, () => getChildren("/a"))));
  const megabyte = new Uint8Array(1024 * 1024);
  answerReads(gateway, 1, megabyte);
  answerReads(gateway, 1, megabyte);
  t.deepEqual(toldKinds(gateway), [], "one answer is written, one waits");
  gateway.tell({ kind: "drained", connection: 1 });
  t.deepEqual(toldKinds(gateway), ["tree/1 read 7"], "the one that waited is written");
});

test("a client that takes a large answer is heard of, though what it sends is not read", (t) => {
  const gateway = attached();
  gateway.timer("touch");
  gateway.effects.length = 0;
  gateway.tell({ kind: "taken", connection: 1 });
  gateway.timer("touch");
  t.true(gateway.effects.some((effect) => effect.kind === "tell" && effect.to === "heartbeat"));
});

test("members of a multi count as what they take in memory, not as their few bytes", (t) => {
  const gateway = attached();
  const members = Array.from({ length: 5_000 }, () => remove("/a"));
  const paused = (): boolean => gateway.effects.some(({ kind }) => kind === "pauseReading");
  gateway.bytes(1, requestFrame(1, multi(...members)));
  t.false(paused());
  gateway.bytes(1, requestFrame(2, multi(...members)));
  t.true(paused());
});

test("a gateway that holds too much begins no read and takes no further request of who has some waiting", (t) => {
  const gateway = new GatewayDriver({ heldBytesMax: 4 * 1024 * 1024 });
  gateway.leadership("following");
  for (const connection of [1, 2, 3, 4]) gateway.attach(connection);
  for (const connection of [1, 2, 3]) {
    gateway.bytes(connection, pipeline([getData("/a"), getData("/a")]));
    const told = gateway.told.shift()?.message;
    t.is(told?.kind, "read");
    const data = new Uint8Array(2 * 1024 * 1024);
    const zxid = 0x1_0000_0001 as Zxid;
    const results = [{ kind: "data", data, stat: STAT }] as const;
    gateway.tell({ kind: "readDone", client: connection, zxid, results });
  }
  gateway.told.length = 0;
  gateway.bytes(4, pipeline([getData("/a"), getData("/a")]));
  t.like(gateway.told.shift()?.message, { client: 4, answerBytesMax: 1 }, "one answer at a time");
  for (const connection of [1, 2, 3]) gateway.tell({ kind: "closed", connection });
  gateway.told.length = 0;
  gateway.bytes(4, pipeline([]));
  gateway.tell({
    kind: "readDone",
    client: 4,
    zxid: 0x1_0000_0001 as Zxid,
    results: [{ kind: "stat", stat: STAT }],
  });
  const again = gateway.told.shift()?.message;
  t.true(again?.kind === "read" && again.answerBytesMax > 1, "there is room for more again");
});

test("a read of children waits for the session's own earlier write, and a write for the read before it", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "1"), getChildren("/a"), setData("/a", "2")]));
  t.deepEqual(toldKinds(gateway), ["submitter/1 write 1"]);
  const first = gateway.told.shift()?.message;
  t.is(first?.kind, "write");
  const results = [{ kind: "stat", stat: STAT }] as const;
  gateway.tell({ kind: "written", client: 1, zxids: [0x1_0000_0009 as Zxid], results });
  t.deepEqual(toldKinds(gateway), ["tree/1 read 1"]);
  answerReads(gateway, 1);
  t.deepEqual(toldKinds(gateway), ["submitter/1 write 1"]);
});

test("a client's read does not wait for another client's write", (t) => {
  const gateway = attached();
  gateway.attach(2);
  gateway.bytes(1, pipeline([setData("/a", "1")]));
  gateway.bytes(2, pipeline([getData("/a")]));
  t.deepEqual(toldKinds(gateway), ["submitter/1 write 1", "tree/1 read 1"]);
});

test("all replies of one message leave as one write", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([getData("/a"), getData("/b"), ping(), getData("/c")]));
  gateway.serve();
  const writes = gateway.effects.filter((effect) => effect.kind === "write");
  t.is(writes.length, 1);
  const xids = replyHeaders(gateway.written(1)).map(({ xid }) => xid);
  t.deepEqual(xids, [1, 2, -2, 4]);
});

const request: fc.Arbitrary<Operation> = fc.constantFrom(
  getData("/a"),
  exists("/a", true),
  setData("/a", "x"),
  create("/b"),
  sync("/"),
  ping(),
  unknown(107),
);

test("replies come in request order, however the bytes are cut", (t) => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), fc.array(fc.nat(3000)), (requests, cuts) => {
      const gateway = attached();
      const bytes = pipeline(requests);
      const expected = requests.map((each, index) => each.xid ?? index + 1);
      let from = 0;
      const ends = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
      for (const to of [...ends, bytes.length]) {
        gateway.bytes(1, bytes.subarray(from, to));
        from = to;
        if (to % 3 === 0) gateway.serve();
      }
      gateway.serve();
      const headers = replyHeaders(gateway.written(1));
      t.deepEqual(
        headers.map(({ xid }) => xid),
        expected,
      );
    }),
  );
});

test("any bytes close the connection or wait for more, and never throw", (t) => {
  const small = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constant(new Uint8Array([0, 0, 0, 9])),
  );
  const valid = request.map((each) => Uint8Array.from(requestFrame(1, each)));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(small, valid), { maxLength: 30 }),
      fc.boolean(),
      (chunks, early) => {
        const gateway = new GatewayDriver();
        gateway.leadership("leading");
        if (early) gateway.open(1);
        else gateway.attach(1);
        for (const chunk of chunks) {
          gateway.bytes(1, chunk);
          gateway.serve();
        }
        t.true(gateway.logged().length <= 1);
        t.is(gateway.logged().length === 1, gateway.closed(1));
      },
    ),
    { numRuns: 300 },
  );
});

test("an operation that is not served is answered in its place", (t) => {
  const gateway = attached(false);
  gateway.bytes(1, pipeline([setData("/a", "x"), createTtl("/t", 1n), getData("/a")]));
  gateway.serve();
  const headers = replyHeaders(gateway.written(1));
  t.deepEqual(
    headers.map(({ xid, code }) => [xid, code]),
    [
      [1, 0],
      [2, Code.unimplemented],
      [3, 0],
    ],
  );
});

test("an operation that is none of ZooKeeper's ends the connection behind its answer", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "x"), unknown(77), getData("/a")]));
  gateway.serve();
  const headers = replyHeaders(gateway.written(1));
  t.deepEqual(
    headers.map(({ xid, code }) => [xid, code]),
    [
      [1, 0],
      [2, Code.unimplemented],
    ],
  );
  t.true(gateway.closed(1));
});

test("an event stands between the results of writes before and after its change", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "x"), setData("/b", "y"), setData("/c", "z")]));
  const first = gateway.nextZxid as Zxid;
  const events = [{ type: 3, path: "/b", zxid: (first + 1) as Zxid }] as const;
  gateway.tell({ kind: "watchEvents", client: 1, events });
  t.is(gateway.written(1).length, 0);
  gateway.serve();
  t.deepEqual(
    replyHeaders(gateway.written(1)).map(({ xid }) => xid),
    [1, -1, 2, 3],
  );
});

test("an event of a change that no result follows leaves at the end of the turn", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "x")]));
  const events = [{ type: 3, path: "/b", zxid: gateway.nextZxid as Zxid }] as const;
  gateway.nextZxid += 1;
  gateway.tell({ kind: "watchEvents", client: 1, events });
  t.is(gateway.written(1).length, 0);
  gateway.endOfTurn();
  t.is(replyHeaders(gateway.written(1))[0]?.xid, -1);
  gateway.serve();
  t.is(replyHeaders(gateway.written(1))[0]?.xid, 1);
});

test("a ping shows no zxid above those of replies that stand behind it", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([ping(), setData("/a", "x"), ping(), unknown(107)]));
  gateway.serve();
  const zxids = replyHeaders(gateway.written(1)).map(({ zxid }) => zxid);
  t.deepEqual(
    zxids,
    zxids.toSorted((left, right) => left - right),
  );
});

test("an exists with a NUL in its path is refused with BadArguments", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([exists("/a\u0000")]));
  gateway.serve();
  t.is(replyHeaders(gateway.written(1))[0]?.code, Code.badArguments);
});

test("a write's reply carries its own zxid, a read's that of the replica", (t) => {
  const gateway = attached();
  const zxid = gateway.nextZxid;
  gateway.bytes(1, pipeline([setData("/a", "x"), setData("/a", "y"), getData("/a"), ping()]));
  gateway.serve();
  const zxids = replyHeaders(gateway.written(1)).map((header) => header.zxid);
  t.deepEqual(zxids, [zxid, zxid + 1, zxid + 1, zxid + 1]);
});

test("closeSession is answered before the connection closes, and nothing after it is", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([getData("/a"), closeSession(), getData("/a")]));
  gateway.serve();
  const xids = replyHeaders(gateway.written(1)).map(({ xid }) => xid);
  t.deepEqual(xids, [1, 2]);
  t.true(gateway.closed(1));
});

test("a session closed at its client's wish is answered even if its end is heard of first", (t) => {
  const gateway = new GatewayDriver();
  gateway.leadership("following");
  const session = gateway.attach(1);
  gateway.bytes(1, pipeline([closeSession()]));
  gateway.tell({ kind: "sessionChanges", attached: [], closed: [session] });
  t.false(gateway.closed(1));
  gateway.serve();
  t.is(replyHeaders(gateway.written(1)).length, 1);
  t.true(gateway.closed(1));
});

test("a moved session is told so, and the connection closes", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "x"), setData("/a", "y")]));
  gateway.serve(() => ({ kind: "error", code: Code.sessionMoved }));
  t.like(replyHeaders(gateway.written(1)), [{ xid: 1, code: Code.sessionMoved }]);
  t.true(gateway.closed(1));
});

test("a watch event leaves at once, with the zxid of its change", (t) => {
  const gateway = attached();
  const zxid = 0x1_0000_0007 as Zxid;
  gateway.tell({ kind: "watchEvents", client: 1, events: [{ type: 3, path: "/a", zxid }] });
  const bytes = gateway.written(1);
  t.deepEqual(replyHeaders(bytes), [{ xid: -1, zxid, code: 0 }]);
  t.is(bytes.subarray(20).toString("hex"), "0000000300000003000000022f61");
});

test("a connection with too many waiting requests is not read until half of them are answered", (t) => {
  const gateway = attached();
  const requests = Array.from({ length: CONNECTION_REQUESTS_MAX + 100 }, () => setData("/a", "x"));
  const bytes = pipeline(requests);
  const effects = gateway.bytes(1, bytes);
  t.deepEqual(effects.at(-1), { kind: "pauseReading", connection: 1 });
  t.deepEqual(toldKinds(gateway), [`submitter/1 write ${CONNECTION_REQUESTS_MAX}`]);
  gateway.serve();
  t.is(replyHeaders(gateway.written(1)).length, requests.length);
  t.true(gateway.effects.some((effect) => effect.kind === "resumeReading"));
});

test("replies wait when the client does not take the earlier ones, and events behind them", (t) => {
  const gateway = attached();
  const requests = Array.from({ length: 40 }, () => getData("/a"));
  gateway.bytes(1, pipeline(requests));
  gateway.told.length = 0;
  const data = Buffer.alloc(100_000);
  const results = requests.map(() => ({ kind: "data", data, stat: STAT }) as const);
  const zxid = 0x1_0000_0009 as Zxid;
  gateway.tell({ kind: "readDone", client: 1, zxid, results });
  const first = replyHeaders(gateway.written(1));
  t.is(first.length, 11); // 1 MiB
  t.true(gateway.effects.some((effect) => effect.kind === "pauseReading"));
  gateway.tell({ kind: "watchEvents", client: 1, events: [{ type: 3, path: "/a", zxid }] });
  t.is(gateway.written(1).length, 0);
  const rest: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    gateway.tell({ kind: "drained", connection: 1 });
    rest.push(...replyHeaders(gateway.written(1)).map(({ xid }) => xid));
  }
  t.is(rest.length, 30);
  t.is(rest.at(-1), -1);
  t.true(gateway.effects.some((effect) => effect.kind === "resumeReading"));
});

test("a frame over the limit closes the connection with a line that says so", (t) => {
  const gateway = attached();
  const bytes = Buffer.alloc(4 + PACKET_BYTES_MAX + 1);
  bytes.writeInt32BE(PACKET_BYTES_MAX + 1);
  gateway.bytes(1, bytes);
  t.true(gateway.closed(1));
  t.deepEqual(gateway.logged(), [
    `connectionRefused a frame of ${PACKET_BYTES_MAX + 1} bytes; at most ${PACKET_BYTES_MAX} are taken`,
  ]);
});

test("a closed connection's watches are forgotten, and late results are passed over", (t) => {
  const gateway = attached();
  gateway.bytes(1, pipeline([setData("/a", "x"), getData("/a")]));
  const { told } = gateway;
  gateway.tell({ kind: "closed", connection: 1 });
  t.deepEqual(told.at(-1), {
    to: "tree/1",
    message: { kind: "forget", from: "zookeeper/1", client: 1 },
  });
  told.pop();
  gateway.serve();
  t.is(gateway.written(1).length, 0);
});

test("a client that is cut off for not reading gives one line", (t) => {
  const gateway = attached();
  gateway.tell({ kind: "closed", connection: 1, reason: "it does not read" });
  t.deepEqual(gateway.logged(), ["cutOff it does not read"]);
});

test("a failure costs the connection that it was about, and no other", (t) => {
  const gateway = attached();
  gateway.attach(2);
  gateway.recover({ kind: "bytes", connection: 1, bytes: new Uint8Array(1) });
  t.true(gateway.closed(1));
  t.deepEqual(gateway.logged(), ["connectionRefused a failure: Error: made up"]);
  gateway.bytes(2, pipeline([getData("/a")]));
  gateway.serve();
  t.is(replyHeaders(gateway.written(2)).length, 1);
  gateway.recover({ kind: "timer", timer: "report" });
  t.false(gateway.closed(2));
});
