/** The admin servers of three nodes, asked over HTTP as probes, Prometheus and operators ask them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import type { MeasureTrace } from "../../server/diagnostics.ts";
import type { InspectionEvent } from "../../runtime/inspection.ts";
import { askAdmin, askCommand, type Fields, samplesOf } from "../support/admin.ts";
import { type Flags, MemoryEnsemble, memoryConfig } from "../support/running-nodes.ts";
import { ZkClient } from "../support/zookeeper-client/client.ts";
import { create, getData, setData } from "../support/zookeeper-client/operations.ts";
import { found } from "../support/until.ts";

type Ensemble = { readonly nodes: readonly RunningNode[]; readonly folder: string };
const test = anyTest as TestFn<Ensemble>;

const TOKEN = "0123456789abcdef0123456789abcdef";

function urlOf(node: RunningNode | undefined): string {
  if (node?.adminUrl === undefined) throw new Error("no admin server");
  return node.adminUrl;
}

/** It stops whatever was started. */
let stop: () => Promise<void> = () => Promise.resolve();

test.before(async (t) => {
  // A lane of its own shows that it is asked on its thread.
  const own = { lanes: "1", "slow-request-ms": "1" };
  const ensemble = await MemoryEnsemble.launch((id) => (id === "1" ? own : {}));
  stop = () => ensemble.stop();
  t.context = { folder: ensemble.folder, nodes: await ensemble.ready() };
});

test.after.always(() => stop());

/** A node alone, of the test's own. */
async function alone(
  t: ExecutionContext<Ensemble>,
  flags: Flags,
  onInspection?: (event: InspectionEvent) => void,
): Promise<RunningNode> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-admin-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const node = await launchNode(memoryConfig({ "data-dir": folder, ...flags }), { onInspection });
  t.teardown(() => node.stop());
  await node.ready;
  return node;
}

test.serial(
  "every node of a whole ensemble is alive and ready, and says of each check that it passed",
  async (t) => {
    for (const node of t.context.nodes) {
      const [live, ready] = await Promise.all(
        ["/livez", "/readyz?verbose"].map((path) => askAdmin(urlOf(node), path)),
      );
      t.deepEqual([live?.status, live?.text], [200, "ok\n"]);
      const checks = "[+]leader ok\n[+]applied ok\n[+]clients ok\nreadyz check passed\n";
      t.deepEqual([ready?.status, ready?.text], [200, checks]);
    }
    const { text } = await askAdmin(urlOf(t.context.nodes[0]), "/livez?verbose");
    t.is(text, "[+]process ok\n[+]lanes ok\n[+]threads ok\nlivez check passed\n");
  },
);

test.serial("one node leads, and all tell who", async (t) => {
  const told = await Promise.all(t.context.nodes.map((node) => askCommand(urlOf(node), "leader")));
  t.is(told.filter((each) => each["is_leader"] === true).length, 1);
  const [id] = told.map((each) => each["leader_id"]);
  for (const each of told) {
    t.deepEqual([each["leader_id"], each["leader_ip"]], [id, `db${String(id)}`]);
  }
});

test.serial(
  "the members stand in the voting view with the addresses that clients are told",
  async (t) => {
    const view = await askCommand(urlOf(t.context.nodes[0]), "voting_view");
    const member = (id: number): object => ({
      server_addresses: [`db${id}:2888`],
      election_addresses: [`db${id}:3888`],
      client_address: "0.0.0.0:2181",
      learner_type: "participant",
    });
    t.deepEqual(view["current_config"], { 1: member(1), 2: member(2), 3: member(3) });
  },
);

test.serial("zabstate has the epoch and the counter that the zxid is made of", async (t) => {
  const told = await askCommand(urlOf(t.context.nodes[0]), "zabstate");
  t.is(told["zabstate"], "broadcast");
  t.is(Number(told["myid"]), 1);
  const zxid = BigInt(String(told["last_zxid"]));
  t.deepEqual(
    [told["zab_epoch"], told["zab_counter"]],
    [Number(zxid >> 32n), Number(zxid & 0xffff_ffffn)],
  );
});

test.serial(
  "a client on a lane of its own is seen, with its session, its ephemeral and its watch",
  async (t) => {
    const [node] = t.context.nodes;
    const url = urlOf(node);
    const client = await ZkClient.connect({ port: node?.clientPort ?? 0 });
    await client.request(create("/mine", "x", { mode: 1 }));
    await client.request(getData("/mine", true));
    const { connections } = (await askCommand(url, "connections")) as {
      readonly connections: readonly {
        readonly session_id: number;
        readonly last_operation: string;
      }[];
    };
    t.is(connections.length, 1);
    const id = connections[0]?.session_id ?? 0;
    t.is(connections[0]?.last_operation, "GETD");
    const dump = await askCommand(url, "dump");
    t.deepEqual(dump["session_id_to_ephemeral_paths"], { [id]: ["/mine"] });
    const byPath = await askCommand(url, "watches_by_path");
    t.deepEqual(byPath["path_to_session_ids"], { "/mine": [id] });
    const bySession = await askCommand(url, "wchc");
    t.deepEqual(bySession["session_id_to_watched_paths"], { [id]: ["/mine"] });
    await client.close();
  },
);

test.serial(
  "a scrape has ZooKeeper's metrics and our own, and is the same tree on every node",
  async (t) => {
    const scrapes = await Promise.all(
      t.context.nodes.map(async (node) => {
        const { text, headers } = await askAdmin(urlOf(node), "/metrics");
        t.regex(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
        return samplesOf(text);
      }),
    );
    for (const samples of scrapes) {
      t.deepEqual(
        [...samples].filter(([, value]) => Number.isNaN(value)),
        [],
      );
      t.is(samples.get("quorum_size"), 3);
      t.is(samples.get("zooid_epoch"), scrapes[0]?.get("zooid_epoch"));
      t.true((samples.get("process_resident_memory_bytes") ?? 0) > 1_000_000);
      t.true(samples.has("connection_rejected") && samples.has("connection_rejected_total"));
    }
    const leads = scrapes.filter((samples) => samples.get('zooid_role{role="leading"}') === 1);
    t.is(leads.length, 1);
    t.true(leads[0]?.has("leader_uptime"));
    t.is(leads[0]?.get("learners"), 2);
  },
);

type Slow = Fields & {
  readonly tookMs: number;
  readonly stages: readonly { readonly stage: string; fromMs: number; toMs: number }[];
};

test.serial(
  "a slow request has its stages from all threads, by one clock, and is counted",
  async (t) => {
    const [node] = t.context.nodes;
    const client = await ZkClient.connect({ port: node?.clientPort ?? 0 });
    t.teardown(() => client.close());
    await client.request(create("/slow"));
    const large = "x".repeat(500_000);
    const told = async (): Promise<{
      readonly counted: number;
      readonly requests: readonly Slow[];
    }> => {
      const { text } = await askAdmin(urlOf(node), "/api/v1/slow-requests");
      const [first] = (JSON.parse(text) as { readonly nodes: readonly never[] }).nodes;
      return first as never;
    };
    const slow = await found(async () => {
      await client.request(setData("/slow", large));
      const { requests } = await told();
      return requests.find(({ path, stages }) => path === "/slow" && stages.length === 7);
    }, "a slow request has all of its stages");
    const { stages, tookMs } = slow;
    t.like(slow, { operation: "setData", isWrite: true, operations: 1 });
    t.true(Number(slow["bytes"]) > large.length);
    const [gateway, second, log, quorum, deliver, apply, reply] = stages;
    t.deepEqual(
      [gateway, log, quorum, deliver, apply, reply].map((each) => each?.stage),
      ["gateway", "log", "quorum", "deliver", "apply", "reply"],
    );
    t.is(second?.stage, slow["leads"] === true ? "queue" : "leader");
    const borders = [gateway, second, quorum, deliver, apply, reply].flatMap((each) => [
      each?.fromMs ?? Number.NaN,
      each?.toMs ?? Number.NaN,
    ]);
    t.deepEqual(
      borders,
      borders.toSorted((a, b) => a - b),
      "each begins where the one before ends",
    );
    t.is(log?.fromMs, quorum?.fromMs);
    t.deepEqual([gateway?.fromMs, reply?.toMs], [0, tookMs]);
    const samples = samplesOf((await askAdmin(urlOf(node), "/metrics")).text);
    t.true((samples.get("zooid_slow_requests_total") ?? 0) >= 1);
    t.true((await told()).counted >= 1);
  },
);

test.serial("what is not there is 404, and what changes something is not done", async (t) => {
  const url = urlOf(t.context.nodes[1]);
  t.is((await askAdmin(url, "/other")).status, 404);
  const root = await fetch(`${url}/`, { redirect: "manual" });
  t.deepEqual([root.status, root.headers.get("location")], [302, "/dashboard/"]);
  t.is((await askAdmin(url, "/commandsx")).status, 404);
  for (const name of ["connection_stat_reset", "srst", "stmk?traceMask=1", "orst"]) {
    t.is((await askAdmin(url, `/commands/${name}`)).status, 403, name);
  }
  t.is((await askCommand(url, "get_trace_mask"))["tracemask"], 306);
});

test.serial("what may be changed is, and the log says who did it", async (t) => {
  const events: InspectionEvent[] = [];
  const node = await alone(t, { "admin-changes": "true" }, (event) => events.push(event));
  t.is((await askCommand(urlOf(node), "stmk?traceMask=7"))["tracemask"], 7);
  t.is((await askCommand(urlOf(node), "gtmk"))["tracemask"], 7);
  t.is((await askCommand(urlOf(node), "srst"))["error"], null);
  const changes = events.flatMap((event) =>
    event.kind === "log" && event.event === "adminChange" ? [event.detail["command"]] : [],
  );
  t.deepEqual(changes, ["set_trace_mask", "stat_reset"]);
});

test.serial(
  "with a token, all but the health of the node is told to whoever shows it alone",
  async (t) => {
    const { folder } = t.context;
    const file = join(folder, "token");
    await writeFile(file, `${TOKEN}\n`);
    const flags = {
      "admin-token-file": file,
      "admin-address": "0.0.0.0",
      "admin-command-url": "/c",
    };
    const url = urlOf(await alone(t, { ...flags, "metrics-names": "zookeeper-3.9" }));
    for (const path of ["/metrics", "/c", "/c/ruok", "/c/cons"]) {
      t.is((await askAdmin(url, path)).status, 401, path);
      t.is((await askAdmin(url, path, `${TOKEN}0`)).status, 401, path);
      t.is((await askAdmin(url, path, TOKEN)).status, 200, path);
    }
    for (const path of ["/livez", "/readyz"]) t.is((await askAdmin(url, path)).status, 200, path);
    const samples = samplesOf((await askAdmin(url, "/metrics", TOKEN)).text);
    t.deepEqual(
      ["connection_rejected", "connection_rejected_total"].map((name) => samples.has(name)),
      [true, false],
    );
    await writeFile(file, "short\n");
    await t.throwsAsync(launchNode(memoryConfig({ ...flags, "data-dir": join(folder, "t") })), {
      message: /token must hold one token of 16 to/,
    });
  },
);

test.serial(
  "where others reach it and there is no token, it tells nothing of clients and znodes",
  async (t) => {
    const events: string[] = [];
    const onInspection = (event: InspectionEvent): void => {
      if (event.kind === "log") events.push(event.event);
    };
    const url = urlOf(await alone(t, { "admin-address": "0.0.0.0" }, onInspection));
    t.true(events.includes("adminWithoutToken"));
    for (const name of ["conf", "cons", "dump", "icfg", "stat", "wchc", "wchp", "sysp"]) {
      t.is((await askAdmin(url, `/commands/${name}`)).status, 403, name);
    }
    for (const name of ["ruok", "mntr", "srvr", "isro", "envi", "wchs"]) {
      t.is((await askAdmin(url, `/commands/${name}`)).status, 200, name);
    }
  },
);

test.serial("a port in use is said, and nothing of the node is left", async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", () => resolve()));
  t.teardown(() => holder.close());
  const { port } = holder.address() as { readonly port: number };
  const dataDir = join(t.context.folder, "busy");
  const flags = { "data-dir": dataDir, "admin-port": String(port) };
  await t.throwsAsync(launchNode(memoryConfig(flags)), {
    message: new RegExp(
      `port ${port} of 127.0.0.1: it is in use; choose another with --admin-port`,
    ),
  });
  const node = await launchNode(memoryConfig({ ...flags, "admin-port": "0" }));
  await node.stop();
  t.is(await node.stopped.then(({ kind }) => kind), "asked");
});

test.serial(
  "a node in this process tells its events and measurements through diagnostics_channel",
  async (t) => {
    const events: string[] = [];
    const measures = new Set<string>();
    const onEvent = (message: unknown): void => {
      const event = message as InspectionEvent;
      if (event.kind === "log") events.push(event.event);
    };
    const onMeasure = (message: unknown): void => {
      measures.add((message as MeasureTrace).measure);
    };
    subscribe("zooid:server:event", onEvent);
    subscribe("zooid:server:measure", onMeasure);
    t.teardown(() => unsubscribe("zooid:server:event", onEvent));
    t.teardown(() => unsubscribe("zooid:server:measure", onMeasure));
    const node = await alone(t, {});
    const client = await ZkClient.connect({ port: node.clientPort });
    await client.request(create("/traced"));
    await client.close();
    t.true(events.includes("leading"));
    for (const measure of ["fsync", "stage.quorum", "stage.apply", "phase.vote", "turn"]) {
      t.true(measures.has(measure), measure);
    }
  },
);

test.serial("the configuration that is told has no password", async (t) => {
  const digest = "super:aHVzaCBodXNoIGh1c2ggaHVzaA==";
  const url = urlOf(await alone(t, { "super-digest": digest, "sasl-super-password": "hushhush" }));
  const text = String((await askCommand(url, "icfg"))["initial_configuration"]);
  t.regex(text, /^admin\.enableServer=true$/m);
  t.notRegex(text, /hush|aHVz/);
  const { text: conf } = await askAdmin(url, "/commands/conf");
  t.notRegex(conf, /hush|aHVz/);
});

// It must be the last: it takes the ensemble's quorum away.
test.serial("without a quorum a node is alive and not ready, and says why", async (t) => {
  const [left, ...others] = t.context.nodes;
  const url = urlOf(left);
  await Promise.all(others.map((node) => node.stop()));
  let told = await askAdmin(url, "/readyz");
  while (told.status === 200) told = await askAdmin(url, "/readyz");
  t.is(told.status, 503);
  t.regex(told.text, /^\[-\]leader failed: (looking|establishing)$/m);
  t.regex(told.text, /\nreadyz check failed\n$/);
  t.is((await askAdmin(url, "/livez")).status, 200);
  t.regex(String((await askCommand(url, "mntr"))["error"]), /not currently serving requests/);
  t.is((await askAdmin(url, "/metrics")).status, 200);
});
