/** What the gateway adds to the answers of four-letter words: its connections, and whose the watches of its lane are. */
import test from "ava";
import type { Part } from "../../../actors/admin/messages.ts";
import type { WatchedPath } from "../../../actors/tree/messages.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Effect } from "../../../runtime/effects.ts";
import { GatewayDriver, requestFrame } from "../../support/gateway-driver.ts";
import { create, getData, ping, unknown } from "../../support/zookeeper-client/operations.ts";

const MANY_BYTES = 100_000;

function partsIn(effects: readonly Effect[]): Part[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "tell" || effect.to !== "admin") return [];
    const message = effect.message as Part;
    return message.kind === "part" ? [message] : [];
  });
}

function list(gateway: GatewayDriver, word: "cons" | "dump", bytesMax = MANY_BYTES): Part {
  const [part] = partsIn(gateway.tell({ kind: "listConnections", question: 5, word, bytesMax }));
  if (part === undefined) throw new Error("no part");
  return part;
}

function served(): GatewayDriver {
  const gateway = new GatewayDriver();
  gateway.leadership("leading");
  return gateway;
}

test("cons tells of each connection what it has asked for, and how long that took", (t) => {
  const gateway = served();
  const session = gateway.attach(1);
  gateway.bytes(1, requestFrame(1, create("/a")));
  gateway.nowMs += 7;
  gateway.serve();
  gateway.bytes(1, requestFrame(2, getData("/a")));
  gateway.nowMs += 4;
  gateway.serve();
  gateway.open(2);
  const sid = `0x${session.toString(16)}`;
  t.deepEqual(list(gateway, "cons"), {
    kind: "part",
    question: 5,
    from: "zookeeper/1",
    groups: [
      {
        name: "",
        entries: [
          ` /10.0.0.1:1[1](queued=0,recved=3,sent=3,sid=${sid},lop=GETD,est=1000,to=10000,lcxid=0x2,lzxid=0x100000002,lresp=1011,llat=4,minlat=0,avglat=3,maxlat=7)`,
          " /10.0.0.1:2[1](queued=0,recved=0,sent=0)",
        ],
      },
    ],
    omitted: 0,
  });
});

test("a ping has no number in cons, and what is not known no name", (t) => {
  const gateway = served();
  gateway.attach(1);
  gateway.bytes(1, requestFrame(1, ping()));
  const line = (): string => list(gateway, "cons").groups[0]?.entries[0] ?? "";
  t.regex(line(), /,lop=PING,est=1000,to=10000,lzxid=0x100000001,/);
  gateway.bytes(1, requestFrame(9, unknown(107)));
  t.regex(line(), /,lop=NA,.*,lcxid=0x9,/);
});

test("a fresh session counts as the connection's first request", (t) => {
  const gateway = served();
  gateway.attach(1);
  const line = list(gateway, "cons").groups[0]?.entries[0] ?? "";
  t.regex(line, /recved=1,sent=1,.*,lop=SESS,.*,lcxid=0x0,lzxid=0x100000001,/);
});

test("crst sets every connection back, but for when it was opened", (t) => {
  const gateway = served();
  gateway.attach(1);
  gateway.nowMs += 50;
  t.deepEqual(partsIn(gateway.tell({ kind: "resetConnections", question: 6 })), [
    { kind: "part", question: 6, from: "zookeeper/1", groups: [], omitted: 0 },
  ]);
  const line = list(gateway, "cons").groups[0]?.entries[0] ?? "";
  t.regex(
    line,
    /queued=0,recved=0,sent=0,.*,lop=NA,est=1000,to=10000,lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0\)$/,
  );
});

test("srst is told with a report of what was set back, and clients that were turned away stay counted", (t) => {
  const gateway = served();
  gateway.tell({ kind: "refused", remoteAddress: "10.0.0.2:1", reason: "too many" });
  gateway.attach(1);
  const effects = gateway.tell({ kind: "resetMetrics", question: 7 });
  const told = effects.flatMap((effect) =>
    effect.kind === "tell" && effect.to === "admin" ? [effect.message] : [],
  );
  t.like(told[0], { kind: "gatewayReport", received: 0, sent: 0, refused: 1, connections: 1 });
  t.like(told[1], { kind: "part", question: 7, groups: [] });
});

test("dump has the connections by when they end: handshakes, and sessions that nobody hears of", (t) => {
  const gateway = served();
  const session = gateway.attach(1);
  gateway.open(2);
  const { groups } = list(gateway, "dump");
  t.deepEqual(groups, [
    { name: 10_000, entries: [`ip: /10.0.0.1:1 sessionId: 0x${session.toString(16)}`] },
    { name: 11_000, entries: ["ip: /10.0.0.1:2 sessionId: 0x0"] },
  ]);
});

test("a list ends at its limit, and counts what it leaves out", (t) => {
  const gateway = served();
  for (let connection = 1; connection <= 100; connection += 1) gateway.open(connection);
  const { groups, omitted } = list(gateway, "cons", 500);
  const entries = groups.flatMap((group) => group.entries);
  t.true(entries.join("\n").length <= 500);
  t.true(entries.length > 5);
  t.is(entries.length + omitted, 100);
});

test("a connection that has ended is not listed", (t) => {
  const gateway = served();
  gateway.open(1);
  gateway.tell({ kind: "ended", connection: 1 });
  t.deepEqual(list(gateway, "cons").groups, []);
});

function watchesOf(word: "wchs" | "wchc" | "wchp", bytesMax = MANY_BYTES): Part | undefined {
  const gateway = served();
  for (const connection of [1, 2]) gateway.attach(connection);
  const asked = { kind: "listWatches", question: 8, word, bytesMax } as const;
  gateway.told.length = 0;
  gateway.tell(asked);
  if (gateway.told[0]?.to !== "tree/1") throw new Error("the tree was not asked");
  const pairs: readonly WatchedPath[] = [
    { client: 1, path: "/a" },
    { client: 2, path: "/a" },
    { client: 2, path: "/b" },
    { client: 3, path: "/of/one/that/ended" },
  ];
  const counts = { connections: 3, paths: 3, watches: 9 };
  const list = { ...asked, kind: "watchList", counts, pairs, omitted: 5 } as const;
  return partsIn(gateway.tell(list))[0];
}

test("watches are told by session or by path, and those of a connection that ended are not", (t) => {
  const [first, second] = ["0x100000001", "0x100000002"];
  t.deepEqual(watchesOf("wchc")?.groups, [
    { name: first as string, entries: ["/a"] },
    { name: second as string, entries: ["/a", "/b"] },
  ]);
  t.deepEqual(watchesOf("wchp")?.groups, [
    { name: "/a", entries: [first as string, second as string] },
    { name: "/b", entries: [second as string] },
  ]);
});

test("the numbers of watches, and of those left out, are the tree's and the gateway's together", (t) => {
  t.like(watchesOf("wchs"), { watches: { connections: 3, paths: 3, watches: 9 }, omitted: 5 });
  const short = watchesOf("wchc", 20);
  t.deepEqual(
    short?.groups.flatMap(({ entries }) => entries),
    ["/a"],
  );
  t.is(short?.omitted, 5 + 2);
});

test("the zxid of a refusal is that of the reply before", (t) => {
  const gateway = served();
  gateway.attach(1);
  gateway.bytes(1, requestFrame(1, unknown(107)));
  const line = list(gateway, "cons").groups[0]?.entries[0] ?? "";
  t.true(line.includes(`,lzxid=0x${(0x1_0000_0001 as Zxid).toString(16)},`));
});

test("sess tells of each connection that has a session, with its watches", (t) => {
  const gateway = served();
  const session = gateway.attach(1);
  gateway.bytes(1, requestFrame(1, create("/a")));
  gateway.serve();
  gateway.open(2);
  const about = { question: 8, bytesMax: MANY_BYTES } as const;
  gateway.told.length = 0;
  gateway.tell({ kind: "listConnectedSessions", ...about });
  t.like(gateway.told[0], { to: "tree/1", message: { kind: "countClientWatches", ...about } });
  const counted = { kind: "clientWatches", ...about, byClient: [[1, 3]] } as const;
  const [part] = partsIn(gateway.tell(counted));
  const entries = part?.groups.flatMap((group) => group.entries) ?? [];
  t.deepEqual(
    entries.map((entry) => JSON.parse(entry)),
    [
      {
        ...{ session: `0x${session.toString(16)}`, address: "10.0.0.1:1", timeoutMs: 10_000 },
        ...{ received: 2, sent: 2, outstanding: 0, identities: [], watches: 3 },
        ...{ lastZxid: "0x100000002", lastOperation: "CREA" },
      },
    ],
  );
});

test("sess has a place for whoever has the most watches, however many sessions there are", (t) => {
  const gateway = served();
  for (const connection of [1, 2, 3, 4]) gateway.attach(connection);
  const counts = [
    [2, 5],
    [3, 900],
    [9, 1000],
  ] as const;
  const counted = { kind: "clientWatches", question: 8, bytesMax: 500, byClient: counts } as const;
  const [part] = partsIn(gateway.tell(counted));
  const entries = part?.groups.flatMap((group) => group.entries) ?? [];
  const watches = entries.map((entry) => (JSON.parse(entry) as { watches: number }).watches);
  t.deepEqual(watches, [900, 5]);
  t.is(part?.omitted, 2);
});

test("whose watches hear of a znode is asked of the tree, and told with session and address", (t) => {
  const gateway = served();
  const session = gateway.attach(1);
  const about = { question: 8, bytesMax: MANY_BYTES } as const;
  gateway.told.length = 0;
  gateway.tell({ kind: "findWatches", ...about, argument: { kind: "znode", path: "/a" } });
  const asked = { kind: "findWatches", from: "zookeeper/1", ...about };
  t.like(gateway.told[0], { to: "tree/1", message: { ...asked, of: { path: "/a" } } });
  const found = [1, 9].map((client) => ({ client, path: "/", watches: "recursive" }) as const);
  const [part] = partsIn(gateway.tell({ kind: "foundWatches", ...about, found, omitted: 3 }));
  t.is(part?.omitted, 3);
  const entries = part?.groups.flatMap((group) => group.entries) ?? [];
  t.deepEqual(
    entries.map((entry) => JSON.parse(entry)),
    [
      {
        ...{ session: `0x${session.toString(16)}`, address: "10.0.0.1:1" },
        ...{ path: "/", watches: "recursive" },
      },
    ],
  );
});

test("what a session watches is asked of the tree if the session is connected here, and else nothing is", (t) => {
  const gateway = served();
  const session = gateway.attach(3);
  const ask = (of: number): Part[] => {
    gateway.told.length = 0;
    const argument = { kind: "session", session: of as typeof session, after: undefined } as const;
    return partsIn(gateway.tell({ kind: "findWatches", question: 8, bytesMax: 500, argument }));
  };
  t.deepEqual(ask(session), []);
  t.like(gateway.told[0], { to: "tree/1", message: { of: { client: 3 } } });
  t.like(ask(session + 1)[0], { from: "zookeeper/1", groups: [], omitted: 0 });
});

test("busy tells the counts at once, and what was asked for from the second question on", (t) => {
  const gateway = served();
  gateway.attach(1);
  const ask = (): Part | undefined => partsIn(gateway.tell({ kind: "tellBusy", question: 3 }))[0];
  t.like(ask(), { from: "zookeeper/1", busy: { window: undefined } });
  gateway.bytes(1, requestFrame(1, create("/a")));
  gateway.nowMs += 1000;
  gateway.serve();
  const busy = ask()?.busy;
  t.is(busy?.window?.requests, 1);
  t.is(busy?.window?.ms, 1000);
  t.is(busy?.counts.answered, 1);
});
