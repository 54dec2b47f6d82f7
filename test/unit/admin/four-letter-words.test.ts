/** Four-letter words: their texts are those of ZooKeeper, line for line. */
import test from "ava";
import { adminActor } from "../../../actors/admin/admin.ts";
import type { AdminAnswer, AdminMessage, MetricsQuestion } from "../../../actors/admin/messages.ts";
import type { GatewayName } from "../../../actors/gateway/messages.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import type { Epoch, Zxid } from "../../../protocol/zxid.ts";
import { DrivenActor } from "../../../runtime/testing/driven.ts";

const context = {
  nowMs: 5_000,
  wallMs: 0,
  random: () => 0,
  randomBytes: () => new Uint8Array(0),
};

const MEMORY = {
  sessions: 2,
  treeBytes: 4_000,
  treeBytesMax: 1_000_000,
  treeHeapBytes: 3_000,
  treeHeapBytesMax: 500_000,
} as const;

function ask(
  word: string,
  voters: number,
  role: "looking" | "following" | "leading",
  ...more: readonly AdminMessage[]
): string {
  const ids = Array.from({ length: voters }, (_, index) => (index + 1) as ServerId);
  const actor = adminActor({
    server: 1 as ServerId,
    voters: ids,
    startedMs: 2_000,
    version: "3.8.0-test, built on D",
    environment: [["host.name", "h"]],
    configuration: {
      clientPort: 2181,
      clientPortBacklog: 64,
      dataDir: "/data",
      tickTimeMs: 2000,
      maxClientConnections: 60,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      initLimit: 10,
      syncLimit: 5,
    },
  });
  const admin = new DrivenActor(actor, { ...context, nowMs: 2_000 });
  const report = {
    kind: "gatewayReport",
    connections: 2,
    refused: 0,
    received: 30,
    outstanding: 1,
    slow: 3,
    clients: [" /10.0.0.1:1[1](queued=0,recved=1,sent=1)"],
  } as const;
  const messages: AdminMessage[] = [
    { kind: "leadership", role, epoch: 3 as Epoch, leader: 1 as ServerId, admission: "all" },
    {
      kind: "treeMetrics",
      lane: 1,
      zxid: 0x3_0000_0007 as Zxid,
      znodes: 5,
      watches: 6,
      ephemerals: 7,
      dataBytes: 80,
      ...MEMORY,
    },
    {
      kind: "treeMetrics",
      lane: 2,
      zxid: 0x3_0000_0006 as Zxid,
      znodes: 4,
      watches: 3,
      ephemerals: 6,
      dataBytes: 70,
      ...MEMORY,
    },
    { ...report, gateway: "zookeeper/1", sent: 30, latencyMs: { min: 1, average: 2, max: 9 } },
    { ...report, gateway: "zookeeper/2", sent: 10, latencyMs: { min: 0, average: 1, max: 4 } },
    ...more,
    { kind: "fourLetterWord", from: "zookeeper/1", client: 9, word },
  ];
  let text = "";
  for (let message = messages.shift(); message !== undefined; message = messages.shift()) {
    for (const effect of admin.receive(message, context)) {
      if (effect.kind !== "tell") continue;
      const told = effect.message as AdminAnswer | MetricsQuestion;
      if (told.kind === "adminAnswer") text = `${effect.to} ${told.kind}\n${told.text}`;
      else {
        const from = effect.to as GatewayName;
        messages.push({ kind: "part", question: told.question, from, groups: [], omitted: 0 });
      }
    }
  }
  return text;
}

const ANSWER = "zookeeper/1 adminAnswer\n";

const SERVER = `Latency min/avg/max: 0/1.75/9
Received: 60
Sent: 40
Connections: 4
Outstanding: 2
Zxid: 0x300000007
`;

test("srvr of a standalone node", (t) => {
  t.is(
    ask("srvr", 1, "leading"),
    `${ANSWER}Zookeeper version: 3.8.0-test, built on D\n${SERVER}Mode: standalone\nNode count: 5\n`,
  );
});

test("srvr of a leader ends with the sizes of proposals", (t) => {
  t.is(
    ask("srvr", 3, "leading"),
    `${ANSWER}Zookeeper version: 3.8.0-test, built on D\n${SERVER}Mode: leader\nNode count: 5\nProposal sizes last/min/max: -1/-1/-1\n`,
  );
});

test("stat of a follower lists the clients of every lane", (t) => {
  const client = " /10.0.0.1:1[1](queued=0,recved=1,sent=1)\n";
  t.is(
    ask("stat", 3, "following"),
    `${ANSWER}Zookeeper version: 3.8.0-test, built on D\nClients:\n${client}${client}\n${SERVER}Mode: follower\nNode count: 5\n`,
  );
});

test("a node without a leader serves nobody, but is alive", (t) => {
  const notServing = `${ANSWER}This ZooKeeper instance is not currently serving requests\n`;
  for (const word of ["srvr", "stat", "mntr", "conf", "dirs", "hash"])
    t.is(ask(word, 3, "looking"), notServing);
  t.is(ask("isro", 3, "looking"), `${ANSWER}null`);
  t.is(ask("ruok", 3, "looking"), `${ANSWER}imok`);
  t.is(ask("isro", 3, "following"), `${ANSWER}rw`);
});

test("mntr of a leader counts its followers, the server's own figures among the others", (t) => {
  const lines = ask(
    "mntr",
    3,
    "leading",
    { kind: "peers", alive: [1, 2] as ServerId[] },
    { kind: "processReport", openFiles: 40, openFilesMax: 1024 },
  ).split("\n");
  for (const line of [
    "zk_version\t3.8.0-test, built on D",
    "zk_server_state\tleader",
    "zk_avg_latency\t1.75",
    "zk_num_alive_connections\t4",
    "zk_znode_count\t5",
    "zk_watch_count\t9",
    "zk_ephemerals_count\t7",
    "zk_approximate_data_size\t80",
    "zk_open_file_descriptor_count\t40",
    "zk_max_file_descriptor_count\t1024",
    "zk_uptime\t3000",
    "zk_quorum_size\t3",
    "zk_synced_followers\t1",
    "zk_zooid_epoch\t3",
    "zk_zooid_leader\t1",
    "zk_zooid_applied_zxid\t12884901895",
  ]) {
    t.true(lines.includes(line), line);
  }
});

test("mntr has the heap of each lane, in the lanes' order", (t) => {
  const text = ask(
    "mntr",
    3,
    "leading",
    { kind: "laneReport", lane: 2, heapUsedBytes: 20_000_000 },
    { kind: "laneReport", lane: 1, heapUsedBytes: 10_000_000 },
    { kind: "laneReport", lane: 1, heapUsedBytes: 30_000_000 },
  );
  const heaps = text.split("\n").filter((line) => line.includes("_heap_used_bytes"));
  t.deepEqual(heaps, [
    "zk_zooid_lane_1_heap_used_bytes\t30000000",
    "zk_zooid_lane_2_heap_used_bytes\t20000000",
  ]);
});

test("mntr has how many connections to NATS there should be, and how many there are", (t) => {
  const text = ask(
    "mntr",
    3,
    "leading",
    { kind: "natsReport", connection: "peers", status: "connected" },
    { kind: "natsReport", connection: 1, status: "connected" },
    { kind: "natsReport", connection: 2, status: "connected" },
    { kind: "natsReport", connection: 1, status: "disconnected" },
  );
  t.true(text.includes("zk_zooid_nats_connections\t3\nzk_zooid_nats_connected\t2\n"));
});

test("mntr has what each actor that is measured did last, in names that collectors take", (t) => {
  const report = {
    kind: "actorReport",
    steps: 7,
    busyMs: 12.6,
    slowestUs: 900,
    queuedMax: 3,
  } as const;
  const text = ask(
    "mntr",
    1,
    "leading",
    { ...report, actor: "tree/1" },
    { ...report, actor: "log-sync" },
    { ...report, actor: "log-sync", steps: 0 },
  );
  t.deepEqual(
    text.split("\n").filter((line) => line.startsWith("zk_zooid_actor_")),
    [
      "zk_zooid_actor_tree_1_steps\t7",
      "zk_zooid_actor_tree_1_busy_ms\t13",
      "zk_zooid_actor_tree_1_slowest_us\t900",
      "zk_zooid_actor_tree_1_queued_max\t3",
      "zk_zooid_actor_log_sync_steps\t0",
      "zk_zooid_actor_log_sync_busy_ms\t13",
      "zk_zooid_actor_log_sync_slowest_us\t900",
      "zk_zooid_actor_log_sync_queued_max\t3",
    ],
  );
});

test("an average without a fraction keeps its decimal point, as Java prints it", (t) => {
  t.true(ask("mntr", 1, "leading").includes("zk_avg_latency\t1.75\n"));
  const idle = {
    connections: 0,
    refused: 0,
    received: 0,
    sent: 0,
    outstanding: 0,
    slow: 0,
    clients: [],
  } as const;
  const latencyMs = { min: 0, average: 0, max: 0 };
  const reports = (["zookeeper/1", "zookeeper/2"] as const).map(
    (gateway) => ({ kind: "gatewayReport", gateway, latencyMs, ...idle }) as const,
  );
  t.true(ask("srvr", 1, "leading", ...reports).includes("Latency min/avg/max: 0/0.0/0\n"));
});

test("every line of mntr begins with zk_ and, but for the words and the average, is an integer in decimal", (t) => {
  const lines = ask("mntr", 3, "leading").trimEnd().split("\n").slice(1);
  t.true(lines.length > 20);
  for (const line of lines) {
    if (/^zk_(version|server_state|peer_state|avg_latency)\t/.test(line)) continue;
    t.regex(line, /^zk_\w+\t\d+$/);
  }
});

test("times of requests are whole milliseconds, whatever a gateway measures", (t) => {
  const fractions = {
    kind: "gatewayReport",
    gateway: "nats/1",
    connections: 0,
    refused: 0,
    received: 3,
    sent: 3,
    outstanding: 0,
    slow: 0,
    clients: [],
    latencyMs: { min: 0.31, average: 1.5, max: 12.7 },
  } as const;
  const lines = ask("mntr", 1, "leading", fractions).split("\n");
  t.true(lines.includes("zk_min_latency\t0"));
  t.true(lines.includes("zk_max_latency\t12"));
});

test("envi tells the version where clients look for it, and the environment it was given", (t) => {
  t.is(
    ask("envi", 3, "looking"),
    `${ANSWER}Environment:\nzookeeper.version=3.8.0-test, built on D\nhost.name=h\n`,
  );
});

test("conf has ZooKeeper's names in its order, with the port that clients use and the size of the folder", (t) => {
  const report = {
    kind: "serverReport",
    clientPort: 4711,
    folderBytes: 99,
    logFolderBytes: 99,
  } as const;
  const alone = `${ANSWER}clientPort=4711
secureClientPort=-1
dataDir=/data
dataDirSize=99
dataLogDir=/data
dataLogSize=99
tickTime=2000
maxClientCnxns=60
minSessionTimeout=4000
maxSessionTimeout=40000
clientPortListenBacklog=64
serverId=1
`;
  t.is(ask("conf", 1, "leading", report), alone);
  t.is(
    ask("conf", 3, "following", report),
    `${alone}initLimit=10
syncLimit=5
electionAlg=3
electionPort=-1
quorumPort=-1
peerType=0
membership: 
server.1=participant
server.2=participant
server.3=participant
version=0
`,
  );
});

test("conf has the configured port until the server has told another", (t) => {
  t.true(ask("conf", 1, "leading").startsWith(`${ANSWER}clientPort=2181\n`));
});

test("dirs has the size of the data folder, which holds the log too", (t) => {
  const report = {
    kind: "serverReport",
    clientPort: 4711,
    folderBytes: 99,
    logFolderBytes: 99,
  } as const;
  t.is(ask("dirs", 1, "leading", report), `${ANSWER}datadir_size: 99\nlogdir_size: 99\n`);
});

test("slow is answered with a leader and without, with what the gateways have counted", (t) => {
  for (const role of ["leading", "looking"] as const) {
    const text = ask("slow", 3, role).slice(ANSWER.length);
    const about = { node: 1, thresholdMs: 0, counted: 6 };
    t.deepEqual(JSON.parse(text), { ...about, requests: [], records: [] }, role);
  }
});

test("the trace mask is ZooKeeper's until stmk sets another", (t) => {
  t.is(ask("gtmk", 1, "looking"), `${ANSWER}306`);
  const set = { kind: "fourLetterWord", from: "zookeeper/1", client: 8, word: "stmk" } as const;
  t.is(ask("gtmk", 1, "leading", { ...set, mask: -2n }), `${ANSWER}-2`);
});

test("hash is empty: there are no digests of the tree", (t) => {
  t.is(ask("hash", 1, "leading"), ANSWER);
});

test("a node whose clients' writes are refused says so, and why", (t) => {
  const low = {
    kind: "leadership",
    role: "leading",
    epoch: 3 as Epoch,
    leader: 1 as ServerId,
    admission: "sessionsOnly",
  } as const;
  t.true(
    ask("srvr", 1, "leading", low).endsWith(
      "Node count: 5\nWrites: refused, no space on the disk\n",
    ),
  );
  t.true(ask("mntr", 1, "leading", low).includes("\nzk_zooid_writes_refused\t1\n"));
  t.true(ask("mntr", 1, "leading").includes("\nzk_zooid_writes_refused\t0\n"));
  t.is(ask("isro", 1, "leading", low), `${ANSWER}ro`);
});
