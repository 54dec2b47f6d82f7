/** What a person finds out about those who use the ensemble: who holds a lock and who waits for it, and who leaks watches. */
import { connect } from "../../../client/connect.ts";
import { Child } from "../../support/child.ts";
import type { DashboardTest } from "../../support/dashboard.ts";
import { until } from "../../support/until.ts";
import { ZkClient } from "../../support/zookeeper-client/client.ts";
import { create, exists } from "../../support/zookeeper-client/operations.ts";

const PYTHON = "/usr/bin/python3";

/** kazoo takes a lock, and gives it back at the end of its input. */
const KAZOO_LOCK = `
import sys
from kazoo.client import KazooClient
client = KazooClient(sys.argv[1], timeout=20)
client.start()
lock = client.Lock(sys.argv[2], "ada at the import")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
lock.release()
client.stop()
`;

/** kazoo takes the only lease of a semaphore, or waits for it. */
const KAZOO_LEASE = `
import sys
from kazoo.client import KazooClient
client = KazooClient(sys.argv[1], timeout=20)
client.start()
semaphore = client.Semaphore(sys.argv[2], sys.argv[3], max_leases=1)
semaphore.acquire()
print("held", flush=True)
sys.stdin.read()
semaphore.release()
client.stop()
`;

export function sessionCases(test: DashboardTest): void {
  lockAndLeakCases(test);
  // Whoever has a lease has it until its process ends.
  semaphoreCase(test);
}

function lockAndLeakCases(test: DashboardTest): void {
  test.serial("who holds a lock is found, and who waits, live", async (t) => {
    const { tab, nodes, client } = t.context;
    const path = "/jobs/import";
    const [first, second] = nodes.map((node) => `127.0.0.1:${node.clientPort}`);
    const kazoo = new Child({ command: PYTHON, args: ["-c", KAZOO_LOCK, first ?? "", path] });
    t.teardown(() => kazoo.stop());
    await kazoo.line(/^held$/);
    const other = await connect(`zk://${second}`);
    t.teardown(() => other.close());
    const waiting = other.lock(path, { layout: "kazoo", data: "<b>bob</b> at the export" });
    await until(
      async () => (await client.children(path)).children.length === 2,
      "both stand there",
    );

    await tab.click("link", "Locks");
    await tab.sees("Nobody stands in line at /");
    await tab.click("button", "Find below");
    await tab.sees("1 found.");
    t.deepEqual(await tab.barriers("found"), []);
    await tab.follow(path);
    await tab.sees("In the layout of kazoo. 1 waits.");
    const rows = async (): Promise<readonly string[]> =>
      (await tab.evaluate(
        "[...document.querySelectorAll('[aria-label=\"The line\"] tbody tr')].map((row) => row.innerText)",
      )) as readonly string[];
    const [holder = "", next = ""] = await rows();
    t.regex(
      holder,
      /^1\s+holds it\s.*__lock__0000000000\s+0x\w+\s+127\.0\.0\.1:\d+\s[^]*ada at the import$/,
    );
    t.regex(next, /^2\s+waits\s.*__lock__0000000001\s[^]*<b>bob<\/b> at the export$/);
    t.deepEqual(await tab.barriers("locks"), []);
    const [session = ""] = /0x\w+/.exec(holder) ?? [];

    // Whose it is, and where its client is.
    await tab.follow(session);
    await tab.sees(`Session ${session}`);
    await tab.sees(`${path}/`);
    t.regex(await tab.text(), /Connected to\s+node 1[^]*Ephemerals\s+1\n/);
    await tab.follow(`${path}/`);
    await tab.sees("Whose it is");
    await tab.sees("at node 1");
    t.regex(await tab.text(), new RegExp(`Session ${session}, client 127`));
    // The one behind it waits for it to go.
    await tab.sees("the znode and its children");
    await tab.evaluate("document.querySelector('.znode').scrollTop = 1e9");
    t.deepEqual(await tab.barriers("ephemeral"), []);

    await tab.evaluate(`location.hash = "#/locks?path=${path}"`);
    await tab.sees("1 waits.");
    kazoo.process.stdin?.end();
    await using held = await waiting;
    await tab.sees("0 wait.");
    t.true(held.path.endsWith("__lock__0000000001"));
    t.regex((await rows())[0] ?? "", /^1\s+holds it\s.*__lock__0000000001/);
  });

  test.serial("the session that leaks watches is found among the others", async (t) => {
    const { tab, nodes, client } = t.context;
    const many = 1100;
    await client.create("/leak");
    const leaking = await ZkClient.connect({ port: nodes[1]?.clientPort ?? 0 });
    // This client sends no pings by itself, and a busy machine may take longer than its session lasts.
    const alive = setInterval(() => void leaking.request(exists("/leak")), 1000);
    t.teardown(async () => {
      clearInterval(alive);
      await leaking.close();
    });
    await leaking.request(create("/leak/mine", "", { mode: 1 }));
    const paths = Array.from({ length: many }, (_, index) => `/leak/${index}`);
    await Promise.all(paths.map((path) => leaking.request(exists(path, true))));
    await tab.click("link", "Sessions");
    await tab.sees("1,100 many");
    // The one with the most watches is the first.
    const first = String(await tab.evaluate("document.querySelector('tbody tr').innerText"));
    t.regex(first, /^0x\w+\s+127\.0\.0\.1:\d+\s+2\s+[^]*\s1\s+1,100 many\s/);
    t.is(await tab.evaluate("document.querySelectorAll('tr.over').length"), 1);
    t.deepEqual(await tab.barriers("sessions"), []);
    const [session = ""] = /0x\w+/.exec(first) ?? [];
    await tab.fill("Find a number, address, identity or node", session);
    await tab.sees("1 session of ");
    await tab.follow(session);
    await tab.sees("900 further ones");
    await tab.sees("/leak/mine");
    const text = await tab.text();
    t.regex(
      text,
      /Connected to\s+node 2[^]*Its ephemerals\s+\/leak\/mine\s+What it watches\s+\/leak\/0 /,
    );
    t.deepEqual(await tab.barriers("session"), []);
    await tab.follow("/leak/mine");
    await tab.sees("ephemeral: ends with session");
    // A stranger's number is none, and does no harm.
    await tab.evaluate('location.hash = "#/sessions?id=0x7"');
    await tab.sees("no node that answers knows the session 0x7");
  });
}

function semaphoreCase(test: DashboardTest): void {
  test.serial("who has a lease of a kazoo semaphore is found, and who waits for one", async (t) => {
    const { tab, nodes, client } = t.context;
    const path = "/jobs/pool";
    const address = `127.0.0.1:${nodes[2]?.clientPort}`;
    const asks = (name: string): Child =>
      new Child({ command: PYTHON, args: ["-c", KAZOO_LEASE, address, path, name] });
    const holder = asks("ada at the pool");
    t.teardown(() => holder.stop());
    await holder.line(/^held$/);
    const next = asks("bob at the pool");
    t.teardown(() => next.stop());
    const waits = async (): Promise<boolean> => {
      const { stat } = await client.exists(`${path}-__lock__`);
      return stat?.numChildren === 1;
    };
    await until(waits, "bob waits");
    await tab.evaluate(`location.hash = "#/locks?path=${path}"`);
    await tab.sees("In the layout of kazoo. 1 of 1 lease held. 1 waits.");
    const text = await tab.text();
    t.regex(text, /1\s+holds it\s+[0-9a-f]{32}\s+0x\w+[^]*ada at the pool/);
    t.regex(text, /2\s+waits\s+[0-9a-f]{32}__lock__\d{10}[^]*bob at the pool/);
    holder.process.stdin?.end();
    await next.line(/^held$/);
    await tab.sees("0 wait.");
    t.regex(await tab.text(), /1\s+holds it[^]*bob at the pool/);
  });
}
