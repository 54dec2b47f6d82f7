/** What the console makes of the answers of servers: sessions, rates and latencies, also from what is none. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { PassThrough } from "node:stream";
import test from "ava";
import { connectionsOf, apacheSessions } from "../../../cli/console/servers/apache-sessions.ts";
import type { Server } from "../../../cli/console/servers/servers.ts";
import { sessionsOf } from "../../../cli/console/servers/sessions.ts";
import { ownAnswerOf, refusalOf, textOf } from "../../../cli/console/servers/words.ts";
import { meanBetween, quantileOf } from "../../../cli/console/top/latencies.ts";
import { answeredOf, Sampler } from "../../../cli/console/top/sampler.ts";
import { Screen } from "../../../cli/console/top/screen.ts";
import { busiestOf, jsonOfSamples, textOfSamples } from "../../../cli/console/top/view.ts";
import { countLatency, listedLatencies, newLatencies } from "../../../actors/gateway/latencies.ts";
import { askServer } from "../../../cli/srvr.ts";
import { Collected } from "../../support/console.ts";

const REFUSED = "dump is not executed because it is not in the whitelist.\n";

/** Answers as the table says, and else with nothing. */
function serverOf(answers: Readonly<Record<string, string>>, id?: number): Server {
  return {
    ...{ id, address: "zk1:2181" },
    ask: (word) => {
      const text = answers[word];
      return Promise.resolve(
        text === undefined ? { kind: "silent", because: "gone" } : { kind: "answered", text },
      );
    },
  };
}

function ofAll(...all: readonly Server[]): Parameters<typeof sessionsOf>[0] {
  return { all, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const CONS = [
  " /10.0.0.1:50000[1](queued=2,recved=7,sent=6,sid=0x100000a,lop=GETD,est=1,to=9000,lcxid=0x2,lzxid=0x5,lresp=1,llat=0,minlat=0,avglat=0,maxlat=1)",
  " /[0:0:0:0:0:0:0:1]:50001[0](queued=0,recved=1,sent=0)",
  " /10.0.0.2:50002[1](queued=0,recved=1,sent=1,sid=0xa100000000000001,lop=SESS,est=1,to=9000,lzxid=0xffffffffffffffff,lresp=1,llat=0,minlat=0,avglat=0,maxlat=1)",
  "",
].join("\n");

const DUMP = `SessionTracker dump:
Session Sets (2)/(2):
1 expire at Thu Jan 01 00:00:04 UTC 1970:
\t0x100000a
1 expire at Thu Jan 01 00:00:06 UTC 1970:
\t0x100000b
ephemeral nodes dump:
Sessions with Ephemerals (1):
0x100000a:
\t/a
\t/b
Connections dump:
Connections Sets (1)/(1):
1 expire at Thu Jan 01 00:00:04 UTC 1970:
\tip: /10.0.0.1:50000 sessionId: 0x100000a
`;

test("Apache ZooKeeper's connections, sessions, ephemerals and watches become one list", async (t) => {
  const srvr = "Zookeeper version: 3.8.0-abc, built on x\nMode: follower\n";
  const server = serverOf({ srvr, cons: CONS, dump: DUMP, wchc: "0x100000a\n\t/a\n\t/x\n\n" }, 3);
  const { sessions, missing } = await sessionsOf(ofAll(server));
  t.deepEqual(missing, []);
  t.deepEqual(
    sessions.map(({ session, server: at, ephemerals, watches }) => [
      session,
      at,
      ephemerals,
      watches,
    ]),
    [
      ["0x100000a", "3", 2, 2],
      ["0x100000b", null, 0, null],
      ["0xa100000000000001", "3", 0, 0],
    ],
  );
  t.like(sessions[0], { address: "10.0.0.1:50000", timeoutMs: 9000, received: 7, outstanding: 2 });
  t.like(sessions[0], { lastZxid: "0x5", lastOperation: "GETD" });
  t.is(sessions[2]?.lastZxid, null);
});

test("words that are not allowed, or not answered, are named, and the others are used", async (t) => {
  const { sessions, missing } = await apacheSessions(serverOf({ cons: CONS, dump: REFUSED }));
  t.is(sessions.length, 2);
  t.true(sessions.every(({ ephemerals, watches }) => ephemerals === null && watches === null));
  t.regex(missing[0] ?? "", /^zk1:2181 does not answer dump: allow it by 4lw\.commands\.whitelist/);
  t.is(missing[1], "zk1:2181 does not answer wchc: gone");
});

test("a session has the server of its later connection, and what others tell of it", async (t) => {
  const srvr = "Zookeeper version: 3.8.0-zooid-0.1.0, built on x\nMode: follower\n";
  const facts = {
    ...{ session: "0x5", address: null, timeoutMs: 4000, received: 1, sent: 1, outstanding: 0 },
    ...{ watches: 2, lastOperation: null },
  };
  const answer = (node: number, lastZxid: string, omitted: number): string =>
    JSON.stringify({
      ...{
        node,
        connected: [{ ...facts, lastZxid }],
        known: [
          ["0x5", 4000, 7],
          ["0x6", 1, 0],
        ],
      },
      omitted,
    });
  const all = await sessionsOf(
    ofAll(
      serverOf({ srvr, sess: answer(1, "0x9", 0) }),
      serverOf({ srvr, sess: answer(2, "0x10", 3) }),
      serverOf({ srvr: "This ZooKeeper instance is not currently serving requests\n" }),
      serverOf({ srvr, sess: '{"connected":[]}' }),
    ),
  );
  t.like(all.sessions[0], { session: "0x5", server: "2", ephemerals: 7, watches: 2 });
  t.like(all.sessions[1], { session: "0x6", server: null, ephemerals: 0 });
  t.deepEqual(
    all.missing.map((text) => text.slice(0, 40)),
    [
      "zk1:2181: 3 more are not listed: an answ",
      "zk1:2181: This ZooKeeper instance is not",
      "zk1:2181 answers sess with something els",
    ],
  );
  t.is(all.serving, 3);
});

test("what is no answer becomes none", (t) => {
  for (const text of ["", "no", "[]", "null", "{", '{"known":{}}', REFUSED]) {
    const answer = { kind: "answered", text } as const;
    t.is(ownAnswerOf<{ known: unknown[] }>(answer, ["known"]), undefined, text);
  }
  t.is(textOf({ kind: "silent", because: "" }), undefined);
  t.deepEqual(connectionsOf("garbage\n /a[1](sid=zz)\n /b[1]()\n/c[x](sid=0x1)"), []);
  const long = { kind: "answered", text: "x".repeat(10_000) } as const;
  t.true(refusalOf(serverOf({}), "sess", long).length < 200);
});

test("latencies of Apache ZooKeeper are those of reads and updates together", (t) => {
  const mntr = (count: number, sum: number): string =>
    `zk_avg_latency\t1.0\nzk_cnt_readlatency\t${count}\nzk_sum_readlatency\t${sum}\nzk_cnt_updatelatency\t1\nzk_sum_updatelatency\t10\n`;
  t.deepEqual(answeredOf(mntr(3, 20)), { count: 4, total: 30 });
  t.is(answeredOf("zk_version\t3.4"), undefined);
  t.is(meanBetween(answeredOf(mntr(3, 20)), answeredOf(mntr(8, 40))), 4);
  t.is(meanBetween(answeredOf(mntr(8, 40)), answeredOf(mntr(3, 20))), undefined);
});

test("a percentile lies among the latencies of its bucket, also where the buckets before it are empty", (t) => {
  const latencies = newLatencies();
  for (let index = 0; index < 98; index += 1) countLatency(latencies, 0.25);
  for (let index = 0; index < 2; index += 1) countLatency(latencies, 100);
  const p99 = quantileOf(listedLatencies(latencies), 0.99) ?? 0;
  t.true(p99 > 80 && p99 < 120, `${p99}`);
});

test("half an answer of a server is none", async (t) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write("Zookeeper version: half");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const answer = await askServer({ host: "127.0.0.1", port }, { timeoutMs: 200 });
  server.close();
  t.deepEqual(answer, { kind: "silent", because: "no answer within 200 ms" });
});

test("top has no rates of a server that is away, or was started again", async (t) => {
  const srvr = (received: number): string =>
    `Zookeeper version: 3.8.0, built on x\nReceived: ${received}\nMode: standalone\n`;
  const answers: Record<string, string> = { srvr: srvr(100), cons: CONS };
  const sampler = new Sampler(serverOf(answers));
  t.is((await sampler.sample()).requests, undefined);
  await new Promise((resolve) => setTimeout(resolve, 2));
  answers["srvr"] = srvr(200);
  t.true(((await sampler.sample()).requests ?? 0) > 0);
  answers["srvr"] = srvr(5);
  t.is((await sampler.sample()).requests, undefined);
  delete answers["srvr"];
  await sampler.sample();
  const away = await sampler.sample();
  t.like(away, { mode: undefined, because: "gone", requests: undefined, sessions: undefined });
  const busiest = busiestOf([away], 10);
  t.regex(
    (await textOfSamples([away], busiest, (text) => text)).join("\n"),
    /zk1:2181 {2}down: gone/,
  );
  t.like(jsonOfSamples([away], busiest), { paths: null, sessions: null });
});

test("the busiest of all servers are added up, and only so many are shown", (t) => {
  const rate = (key: string, reads: number): object => ({ key, total: reads, reads, writes: 0 });
  const samples = [
    { paths: [rate("/a", 1), rate("/b", 2)], sessions: undefined },
    { paths: [rate("/a", 5)], sessions: undefined },
    { paths: undefined, sessions: undefined },
  ] as never;
  t.deepEqual(busiestOf(samples, 1), {
    paths: [{ key: "/a", total: 6, reads: 6, writes: 0 }],
    sessions: undefined,
  });
});

test("a screen reads keys one by one, shows what has a place, and leaves the terminal as it was", (t) => {
  const exits = process.listenerCount("exit");
  const modes: boolean[] = [];
  const keys: string[] = [];
  const stdin = Object.assign(new PassThrough(), {
    ...{ isTTY: true, setRawMode: (isRaw: boolean) => modes.push(isRaw) },
  });
  const stdout = Object.assign(new Collected(true), { rows: 2, columns: 5 });
  const { signal } = new AbortController();
  const screen = new Screen({ stdin, stdout, stderr: stdout, env: {}, signal }, true, (key) =>
    keys.push(key),
  );
  stdin.emit("data", Buffer.from("ab"));
  screen.draw(["one", "a long line", "left out"]);
  screen.close();
  stdin.emit("data", Buffer.from("c"));
  t.deepEqual(keys, ["a", "b"]);
  t.deepEqual(modes, [true, false]);
  t.is(
    stdout.text(),
    "\u001b[?1049h\u001b[?25l\u001b[Hone\u001b[K\r\na lon\u001b[K\u001b[J\u001b[?25h\u001b[?1049l",
  );
  t.is(process.listenerCount("exit"), exits);
});
