/** Four-letter words, compared with Apache ZooKeeper: the same lines in the same layout, whatever the numbers are. */
import { isDeepStrictEqual } from "node:util";
import anyTest, { type TestFn } from "ava";
import { fourLetters } from "../support/four-letters.ts";
import { startAlone, withPair, type Pair } from "../support/pair.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { OWN_WORDS, WORDS } from "../../protocol/zookeeper/words.ts";
import { create, getChildren, getData } from "../support/zookeeper-client/operations.ts";
import {
  type Field,
  readByCollectd,
  readByExporter,
  readByTelegraf,
  readByZktop,
} from "./collectors.ts";

const test = anyTest as TestFn<Pair>;
const pair = withPair(test, startAlone);
type Server = Pair["zookeeper"];

/** The answer of the first is empty while there are no digests, and the second waits for its mask. */
const WITHOUT_TEXT: ReadonlySet<string> = new Set(["hash", "stmk"]);

/** The metrics that monitoring of ZooKeeper is built on; each must be there, as a number. */
const METRICS = [
  "zk_avg_latency",
  "zk_max_latency",
  "zk_min_latency",
  "zk_packets_received",
  "zk_packets_sent",
  "zk_num_alive_connections",
  "zk_outstanding_requests",
  "zk_znode_count",
  "zk_watch_count",
  "zk_ephemerals_count",
  "zk_approximate_data_size",
  "zk_open_file_descriptor_count",
  "zk_max_file_descriptor_count",
];

/** The layout alone: numbers, zxids, addresses and versions are what they are. */
function layout(answer: string): string[] {
  return answer.split("\n").map((line) =>
    line
      .replace(/(version:) .*/, "$1 V")
      .replace(/127\.0\.0\.1:\d+/, "A")
      .replace(/0x[0-9a-f]+/g, "N")
      .replace(/\d+(\.\d+)?/g, "N"),
  );
}

for (const word of ["ruok", "isro"]) {
  test.serial(`${word} is answered with the same bytes`, async (t) => {
    const { zookeeper, zooid } = pair();
    t.is(await fourLetters(zooid, word), await fourLetters(zookeeper, word));
  });
}

test.serial("srvr has the lines of ZooKeeper's, in its order", async (t) => {
  const { zookeeper, zooid } = pair();
  t.deepEqual(
    layout(await fourLetters(zooid, "srvr")),
    layout(await fourLetters(zookeeper, "srvr")),
  );
});

test.serial("stat lists the connections as ZooKeeper's does, itself among them", async (t) => {
  const { zookeeper, zooid } = pair();
  const clients = await Promise.all([ZkClient.connect(zookeeper), ZkClient.connect(zooid)]);
  t.deepEqual(
    layout(await fourLetters(zooid, "stat")),
    layout(await fourLetters(zookeeper, "stat")),
  );
  for (const client of clients) await client.close();
});

test.serial("mntr gives the metrics that monitoring reads, as a number after a tab", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const server of [zookeeper, zooid]) {
    const lines = (await fourLetters(server, "mntr")).trimEnd().split("\n");
    const metrics = new Map(lines.map((line) => line.split("\t") as [string, string | undefined]));
    t.deepEqual(
      METRICS.filter((name) => !/^\d+(\.\d+)?$/.test(metrics.get(name) ?? "")),
      [],
    );
    t.is(metrics.get("zk_server_state"), "standalone");
    t.regex(metrics.get("zk_version") ?? "", /^\d+\.\d+\.\d+/);
  }
});

test.serial("mntr counts the root once; ZooKeeper counts it twice", async (t) => {
  const { zookeeper, zooid } = pair();
  const ours = await counts(zooid);
  t.deepEqual(await counts(zookeeper), { ...ours, znodes: ours.znodes + 1 });
});

test.serial("mntr counts znodes, ephemerals, watches and connections", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const server of [zookeeper, zooid]) {
    const before = await counts(server);
    const client = await ZkClient.connect(server);
    await client.request(create("/counted"));
    await client.request(create("/counted/e", "", { mode: 1 }));
    await client.request(getData("/counted", true));
    const open = { znodes: 2, ephemerals: 1, watches: 1, connections: 1 };
    t.deepEqual(await grownSince(server, before, open), open);
    await client.close();
    const ended = { znodes: 1, ephemerals: 0, watches: 0, connections: 0 };
    t.deepEqual(await grownSince(server, before, ended), ended);
  }
});

for (const word of WORDS.filter((each) => !WITHOUT_TEXT.has(each))) {
  test.serial(
    `${word} is answered to a client that has closed its half of the connection`,
    async (t) => {
      const { zookeeper, zooid } = pair();
      for (const server of OWN_WORDS.includes(word) ? [zooid] : [zookeeper, zooid]) {
        t.not(await fourLetters(server, word, { halfClose: true }), "");
      }
    },
  );
}

for (const word of ["conf", "dirs"]) {
  test.serial(`${word} has the lines of ZooKeeper's, in its order`, async (t) => {
    const { zookeeper, zooid } = pair();
    // An intended difference: zooid tells the number that is used, ZooKeeper -1 for that of the system.
    const told = /(?<=^clientPortListenBacklog=)-1$/gm;
    const lines = async (server: Server): Promise<string[]> =>
      layout(
        (await fourLetters(server, word)).replaceAll(/=\/.*$/gm, "=PATH").replaceAll(told, "0"),
      );
    t.deepEqual(await lines(zooid), await lines(zookeeper));
  });
}

for (const word of ["crst", "srst", "hash", "wchc"]) {
  test.serial(
    `${word} of a server with nothing to tell is answered with the same bytes`,
    async (t) => {
      const { zookeeper, zooid } = pair();
      t.is(await fourLetters(zooid, word), await fourLetters(zookeeper, word));
    },
  );
}

test.serial("gtmk tells the trace mask, which stmk sets", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const word of ["gtmk", "stmk\0\0\0\0\0\0\0~", "gtmk"]) {
    t.is(await fourLetters(zooid, word), await fourLetters(zookeeper, word));
  }
});

test.serial("srst sets back what srvr counts", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const server of [zookeeper, zooid]) {
    const client = await ZkClient.connect(server);
    for (let asked = 0; asked < 20; asked += 1) await client.request(getData("/"));
    t.is(await fourLetters(server, "srst"), "Server stats reset.\n");
    const received = /^Received: (\d+)$/m.exec(await fourLetters(server, "srvr"))?.[1];
    t.true(Number(received) < 10, received);
    await client.close();
  }
});

/** Two clients of each server: with an ephemeral each, and with watches on data, one of them on the same path, and on children. */
async function withTwoClients<Seen>(
  see: (server: Server) => Promise<Seen>,
): Promise<{ readonly zookeeper: Seen; readonly zooid: Seen }> {
  const seenOf = async (server: Server): Promise<Seen> => {
    const [first, second] = [await ZkClient.connect(server), await ZkClient.connect(server)];
    await first.request(create("/two-a", "", { mode: 1 }));
    await first.request(create("/two-b", "", { mode: 1 }));
    await second.request(create("/two-c", "", { mode: 1 }));
    await first.request(getData("/two-a", true));
    await second.request(getData("/two-a", true));
    await second.request(getData("/two-b", true));
    await second.request(getChildren("/", true));
    const seen = await see(server);
    await Promise.all([first.close(), second.close()]);
    return seen;
  };
  const { zookeeper, zooid } = pair();
  return { zookeeper: await seenOf(zookeeper), zooid: await seenOf(zooid) };
}

/** Sessions by the number of their order, since the servers number them in different ways. */
function withoutNumbers(answer: string): string {
  const ids = [...new Set(answer.match(/0x[1-9a-f][0-9a-f]{6,}/g) ?? [])].toSorted((a, b) =>
    BigInt(a) < BigInt(b) ? -1 : 1,
  );
  return ids.reduce((text, id, index) => text.replaceAll(id, `S${"AB"[index]}`), answer);
}

function sorted(answer: string): string[] {
  return answer.split("\n").toSorted();
}

test.serial("cons lists sessions with what they asked last, in ZooKeeper's fields", async (t) => {
  const { zookeeper, zooid } = await withTwoClients(async (server) => {
    const before = layout(await fourLetters(server, "cons"));
    const names = (await fourLetters(server, "cons")).match(/lop=\w+|lcxid=\w+/g)?.toSorted();
    await fourLetters(server, "crst");
    return [before.toSorted(), names, layout(await fourLetters(server, "cons")).toSorted()];
  });
  t.deepEqual(zooid, zookeeper);
});

test.serial("wchs, wchc and wchp tell of the same watches", async (t) => {
  const { zookeeper, zooid } = await withTwoClients(async (server) => [
    await fourLetters(server, "wchs"),
    sorted(withoutNumbers(await fourLetters(server, "wchc"))),
    sorted(withoutNumbers(await fourLetters(server, "wchp"))),
  ]);
  t.deepEqual(zooid, zookeeper);
  t.is(zooid[0], "2 connections watching 2 paths\nTotal watches:3\n");
});

test.serial("dump lists sessions, their ephemerals, and connections", async (t) => {
  const { zookeeper, zooid } = await withTwoClients(async (server) => {
    const answer = withoutNumbers(await fourLetters(server, "dump"));
    // When sessions and connections end, and at how many times, is each server's own.
    const lines = answer
      .split("\n")
      .filter((line) => !/^\d+ expire at \w{3} \w{3} \d\d /.test(line));
    return layout(lines.join("\n").replaceAll(/Sets \(\d+\)/g, "Sets")).toSorted();
  });
  t.deepEqual(zooid, zookeeper);
});

/** Values that are the same for servers in the same state; the others are each server's own. */
const SAME = /^(current_connections|count-quorum|gauge-(ephemerals|watch)|requests-outstanding)$/;

test.serial("collectd's plugin for ZooKeeper reads the same figures, all of them", async (t) => {
  const { zookeeper, zooid } = await withTwoClients(async (server) => {
    const figures = await readByCollectd(server);
    const same = [...figures].filter(([name]) => SAME.test(name));
    return { names: [...figures.keys()].toSorted(), same: Object.fromEntries(same) };
  });
  t.is(zookeeper.names.length, 14);
  t.deepEqual(zooid, zookeeper);
});

test.serial("zktop reads the server and each of its sessions", async (t) => {
  const { zookeeper, zooid } = await withTwoClients(async (server) =>
    (await readByZktop(server)).map((line) =>
      line.replace(/^(session (?!interest_ops)\w+|(?!mode|version|unavailable)\w+) .*/, "$1"),
    ),
  );
  t.true(zookeeper.includes("unavailable False"));
  t.true(zookeeper.includes("session queued"));
  t.deepEqual(zooid, zookeeper);
});

for (const [name, read] of [
  ["Telegraf", readByTelegraf],
  ["zookeeper-exporter", readByExporter],
] as const) {
  test.serial(`${name} takes mntr apart, into figures of the same types`, async (t) => {
    const { zookeeper, zooid } = pair();
    const typesOf = (fields: readonly Field[]): ReadonlyMap<string, string> =>
      new Map(fields.map((field) => [field.name, typeof field.value]));
    const theirs = typesOf(read(await fourLetters(zookeeper, "mntr")));
    const ours = typesOf(read(await fourLetters(zooid, "mntr")));
    const common = [...ours].filter(([field]) => theirs.has(field));
    t.true(common.length > METRICS.length);
    t.deepEqual(
      common,
      common.map(([field]) => [field, theirs.get(field)]),
    );
  });
}

test.serial("envi names the server's version in its second line, as ZooKeeper does", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const server of [zookeeper, zooid]) {
    const [first, second] = (await fourLetters(server, "envi")).split("\n");
    t.is(first, "Environment:");
    t.regex(second ?? "", /^zookeeper\.version=\d+\.\d+\.\d+/);
  }
});

test.serial("a word that does not exist is not answered as if it did", async (t) => {
  const { zookeeper, zooid } = pair();
  for (const server of [zookeeper, zooid]) {
    for (const word of ["nope", "icfg", "RUOK"]) {
      const answer = await fourLetters(server, word).catch(() => "");
      t.is(answer, "");
    }
  }
});

type Counts = {
  readonly znodes: number;
  readonly ephemerals: number;
  readonly watches: number;
  readonly connections: number;
};

async function counts(server: { readonly port: number }): Promise<Counts> {
  const answer = await fourLetters(server, "mntr");
  const metric = (name: string): number =>
    Number(new RegExp(`^${name}\t(\\d+)`, "m").exec(answer)?.[1]);
  return {
    znodes: metric("zk_znode_count"),
    ephemerals: metric("zk_ephemerals_count"),
    watches: metric("zk_watch_count"),
    connections: metric("zk_num_alive_connections"),
  };
}

const ASKED_TIMES_MAX = 200;

/** Asks until the counts have grown as expected, a few seconds at most: a server may gather its figures from time to time only. */
async function grownSince(
  server: { readonly port: number },
  before: Counts,
  expected: Counts,
): Promise<Counts> {
  for (let asked = 1; ; asked += 1) {
    const now = await counts(server);
    const grown = {
      znodes: now.znodes - before.znodes,
      ephemerals: now.ephemerals - before.ephemerals,
      watches: now.watches - before.watches,
      connections: now.connections - before.connections,
    };
    if (asked === ASKED_TIMES_MAX || isDeepStrictEqual(grown, expected)) return grown;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
