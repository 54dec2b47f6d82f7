/** The dashboard in a real Chromium, served by three real nodes that meet over NATS: what a person does, sees, and is kept from. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import anyTest from "ava";
import { connect } from "../../client/connect.ts";
import { buildDashboard } from "../../dashboard/build.ts";
import { loadConfig } from "../../server/config/load.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";
import { askAdmin } from "../support/admin.ts";
import { openBrowser, Tab } from "../support/browser.ts";
import { type DashboardTest, SCRIPT_NAME as SCRIPT } from "../support/dashboard.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { stopAll } from "../support/running-nodes.ts";
import { until } from "../support/until.ts";
import { pastCases } from "./dashboard/past.ts";
import { hostileCases } from "./dashboard/hostile.ts";
import { sessionCases } from "./dashboard/sessions.ts";

const test = anyTest as DashboardTest;

const TOKEN = "0123456789abcdef0123456789abcdef";
const started = new AsyncDisposableStack();

function launch(id: string, nats: string, folder: string): Promise<RunningNode> {
  const writing = {
    "admin-token-file": join(folder, "token"),
    "admin-writes": "true",
    "admin-audit-file": join(folder, "audit.jsonl"),
  };
  const flags = {
    ...{ id, members: "1,2,3", nats, "data-dir": join(folder, id), lanes: "0", "admin-port": "0" },
    ...{ "client-port": "0", "client-port-address": "127.0.0.1" },
    // Nearly every write takes a millisecond.
    "slow-request-ms": "1",
    ...(id === "3" && writing),
  };
  const loaded = loadConfig({ transport: "nats", flags: new Map(Object.entries(flags)) });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return launchNode(loaded.config);
}

test.before(async (t) => {
  await buildDashboard();
  const folder = await mkdtemp(join(tmpdir(), "zooid-dashboard-"));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "token"), TOKEN);
  const nats = await startNatsServer();
  started.defer(() => nats.stop());
  const launching = ["1", "2", "3"].map((id) => launch(id, nats.url, folder));
  started.defer(() => stopAll(launching));
  const browser = await openBrowser();
  started.defer(() => browser.close());
  const nodes = await Promise.all(launching);
  await Promise.all(nodes.map((node) => node.ready));
  const client = await connect(`zk://127.0.0.1:${nodes[2]?.clientPort}`);
  started.defer(() => client.close());
  await client.create("/shop");
  await client.create("/shop/limits", '{"perSecond":100,"burst":[1,2]}');
  await client.create("/shop/note", "one\r\ntwo\r\nthree\r\n");
  await client.create("/shop/packed", gzipSync('{"inside":true}'));
  await client.create(
    "/shop/cbor",
    new Uint8Array([
      0xa1,
      0x66,
      ...Buffer.from("inside"),
      0x83,
      0xf5,
      0x01,
      0x42,
      ...Buffer.from("hi"),
    ]),
  );
  await client.create(`/shop/${SCRIPT}`, "<script>window.hacked='value'</script>");
  await client.create("/shop/mine", "", { ephemeral: true });
  const tab = await Tab.open(browser, `${nodes[2]?.adminUrl}/`);
  t.context = { nodes, browser, client, folder, tab };
});

test.after.always(() => started.disposeAsync());

test.serial("without the token nothing is shown, and with it the ensemble is", async (t) => {
  const { tab } = t.context;
  await tab.sees("This node shows its znodes to whoever has its token.");
  t.deepEqual(await tab.barriers("token"), []);
  await tab.fill("Token", "a-token-of-somebody-else");
  await tab.click("button", "Show");
  await tab.sees("The node does not take this token.");
  await tab.fill("Token", TOKEN);
  await tab.click("button", "Show");
  await tab.sees("3 of 3 nodes serve. It goes on if 1 more of them fails.");
  const text = await tab.text();
  t.is(text.match(/\bleader\b/g)?.length, 1);
  t.is(text.match(/\bfollower\b/g)?.length, 2);
  t.regex(text, /Node 3[^]*serves this page/);
  t.regex(text, /Fsync, mean \/ p99\s+[\d.]+ ms \/ [\d.]+ ms/);
  t.regex(text, /Data folder\s+[\d.]+ (?:KiB|MiB)/);
  t.deepEqual(await tab.barriers("ensemble"), []);
  t.false(JSON.stringify(await tab.evaluate("({ ...localStorage })")).includes(TOKEN));
});

test.serial("the tree is gone through with the keys, and names and values stay text", async (t) => {
  const { tab } = t.context;
  await tab.click("link", "Tree");
  await tab.sees("shop");
  await tab.page.locator("[role=tree]").click();
  const press = async (
    ...keys: readonly ("ArrowDown" | "ArrowRight" | "Enter" | "Home" | "End")[]
  ) => {
    for (const key of keys) await tab.page.keyboard.press(key);
  };
  await press("Home", "ArrowDown", "ArrowRight");
  await tab.sees("limits");
  t.true((await tab.text()).includes(SCRIPT));
  // The name with the sign < comes first.
  await press("ArrowDown", "Enter");
  await tab.sees("<script>window.hacked='value'</script>");
  t.is(await tab.evaluate("window.hacked"), undefined);
  t.is(await tab.evaluate("document.querySelectorAll('img, #app script').length"), 0);
  t.deepEqual(await tab.barriers("tree"), []);
});

test.serial("a value is shown as JSON, text, bytes, and unpacked", async (t) => {
  const { tab, nodes } = t.context;
  const show = async (path: string): Promise<void> => {
    await tab.page.goto(`${nodes[2]?.adminUrl}/dashboard/#/tree?path=${encodeURIComponent(path)}`);
  };
  await show("/shop/limits");
  await tab.sees('  "perSecond": 100,');
  await tab.click("button", "Hex");
  await tab.sees("00000000  7b 22 70 65 72");
  await tab.sees("0, as it was created");
  await tab.sees("everything");
  t.deepEqual(await tab.barriers("znode"), []);
  await show("/shop/packed");
  await tab.sees('"inside": true');
  await show("/shop/cbor");
  await tab.sees('"inside": [');
  await tab.sees("h'6869'");
  await show("/shop/mine");
  await tab.sees("ephemeral: ends with session 0x");
  await show("/shop/nowhere");
  await tab.sees("There is no such znode.");
});

test.serial(
  "what others change is shown at once, and while it is paused it is counted",
  async (t) => {
    const { tab, client } = t.context;
    await client.create("/shop/newcomer");
    await tab.sees("newcomer");
    await tab.click("button", "Pause");
    await client.create("/shop/latecomer");
    await tab.sees("paused, 1 change since");
    t.false((await tab.text()).includes("latecomer"));
    await tab.click("button", "Go on");
    await tab.sees("latecomer");
  },
);

test.serial("a parent of many children costs the rows in sight", async (t) => {
  const { tab, client } = t.context;
  const many = 1200;
  await client.create("/many");
  const names = Array.from({ length: many }, (_, index) => `c${String(index).padStart(5, "0")}`);
  await Promise.all(names.map((name) => client.create(`/many/${name}`)));
  // What was not read is shown among those behind it, and what is before it is read for whoever wants it.
  await client.create("/many/c00900/below");
  await tab.fill("Path", "/many/c00900/below");
  await tab.click("button", "Open");
  await tab.sees("c00901");
  await tab.sees("400 more: click to read on here");
  const chosen = "document.querySelector('.tree-row.selected .name')?.innerText";
  await until(async () => (await tab.evaluate(chosen)) === "below", "it is chosen");
  await tab.evaluate("document.querySelector('.tree-row.more').click()");
  await until(async () => {
    await tab.evaluate(`document.querySelector("[role=tree]").scrollTop = 28 * 900`);
    const text = await tab.text();
    return text.includes("c00899") && text.includes("c00900");
  }, "what lay between is shown");
  await tab.fill("Path", "/many/c00000");
  await tab.click("button", "Open");
  await tab.sees("c00001");
  const rowsOf = (): Promise<unknown> =>
    tab.evaluate("document.querySelectorAll('[role=treeitem]').length");
  t.true(Number(await rowsOf()) < 100);
  t.is(await tab.evaluate("document.querySelector('[aria-level=\"3\"]').ariaSetSize"), `${many}`);
  // Whoever goes to the end has the further pages read.
  await until(async () => {
    await tab.evaluate("document.querySelector('[role=tree]').scrollTop = 1e9");
    return (await tab.text()).includes("c01199");
  }, "the last child is shown");
  t.true(Number(await rowsOf()) < 100);
});

test.serial("an edit is shown as a difference and saved at its version", async (t) => {
  const { tab, client } = t.context;
  await tab.fill("Path", "/shop/note");
  await tab.click("button", "Open");
  await tab.sees("three");
  await tab.click("button", "Edit value");
  await tab.fill("Value", "one\n2\nthree\n");
  // A double click is one on Review, and none on Save, which takes its place.
  await tab.evaluate(`(async () => {
    const button = document.querySelector("form.card button[type=submit]");
    for (const detail of [1, 2]) {
      button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail }));
      await new Promise((resolve) => setTimeout(resolve));
    }
  })()`);
  await tab.sees("− two");
  await tab.sees("+ 2");
  t.deepEqual(await tab.barriers("edit"), []);
  await tab.click("button", "Save");
  await tab.sees("Edit value");
  const { data, stat } = await client.get("/shop/note");
  t.deepEqual(
    [new TextDecoder().decode(data ?? undefined), stat.version],
    ["one\r\n2\r\nthree\r\n", 1],
  );
});

test.serial("what somebody else has set meanwhile is shown, and never overwritten", async (t) => {
  const { tab, client } = t.context;
  await tab.click("button", "Edit value");
  await tab.fill("Value", "mine\n");
  await tab.click("button", "Review");
  await tab.sees("+ mine");
  // The page hears of it when it saves.
  await tab.click("button", "Pause");
  await client.set("/shop/note", "theirs\n");
  await tab.click("button", "Save");
  await tab.sees("Somebody else has set it meanwhile: it is at version 2 now.");
  t.true(await tab.evaluate("document.querySelector('button[type=submit].primary').disabled"));
  t.deepEqual(await tab.barriers("conflict"), []);
  t.is(new TextDecoder().decode((await client.get("/shop/note")).data ?? undefined), "theirs\n");
  // Also a page that is paused knows what the node has said.
  await tab.click("button", "Keep mine, and review it against theirs");
  await tab.click("button", "Review");
  await tab.sees("− theirs");
  await tab.click("button", "Save");
  await tab.sees("Edit value");
  await tab.click("button", "Go on");
  t.is(new TextDecoder().decode((await client.get("/shop/note")).data ?? undefined), "mine\n");
});

test.serial("a znode is created, and a subtree deleted once it was counted", async (t) => {
  const { tab, client, folder } = t.context;
  await tab.fill("Path", "/shop");
  await tab.click("button", "Open");
  await tab.click("button", "Create below");
  t.deepEqual(await tab.barriers("create"), []);
  await tab.fill("Name, or a path of several that are all made", "a/b/c");
  await tab.fill("Value", "new");
  await tab.click("button", "Create");
  await until(async () => (await client.exists("/shop/a/b/c")).stat !== undefined, "it is made");
  t.is(new TextDecoder().decode((await client.get("/shop/a/b/c")).data ?? undefined), "new");
  await tab.fill("Path", "/shop/a");
  await tab.click("button", "Open");
  await tab.click("button", "Create below");
  await tab.fill("Name, or a path of several that are all made", "n-");
  await tab.page.locator("input[type=checkbox]").click();
  // Enter, twice.
  await tab.evaluate(`(async () => {
    const form = document.querySelector("form.card");
    form.requestSubmit();
    await new Promise((resolve) => setTimeout(resolve));
    form.requestSubmit();
  })()`);
  await until(async () => (await client.children("/shop/a")).children.length > 1, "it is made");
  await tab.sees("n-0000000001");
  await tab.fill("Path", "/shop/a");
  await tab.click("button", "Open");
  await tab.click("button", "Delete …");
  await tab.sees("It goes with all that is below it: 4 znodes.");
  t.deepEqual(await tab.barriers("delete"), []);
  await tab.fill("Type a to delete them all", "a");
  await tab.click("button", "Delete 4 znodes");
  await until(async () => (await client.exists("/shop/a")).stat === undefined, "it is deleted");
  let last: Readonly<Record<string, unknown>> = {};
  await until(async () => {
    const audit = (await readFile(join(folder, "audit.jsonl"), "utf8")).trim().split("\n");
    last = JSON.parse(audit.at(-1) ?? "") as typeof last;
    return last["phase"] === "answered";
  }, "what came of it is in the audit log");
  t.like(last, { what: "delete-all", path: "/shop/a", who: "token", result: "done" });
});

sessionCases(test);
pastCases(test);

test.serial("a node that lets nobody write says so, and shows the same", async (t) => {
  const { browser, client, nodes } = t.context;
  const tab = await Tab.open(browser, `${nodes[0]?.adminUrl}/dashboard/`);
  // Its stream of changes fails at first. What is open then is more than is read again in one round.
  const unblock = await tab.block("*/changes*");
  const above = Array.from({ length: 24 }, (_, index) => `/d${index}`);
  const paths = above.map((_, index) => above.slice(0, index + 1).join(""));
  await Promise.all(paths.map((path) => client.create(path)));
  const deepest = paths.at(-1) ?? "";
  await client.create(`${deepest}/first`);
  await tab.evaluate(`location.hash = "#/tree?path=${deepest}/first"`);
  await tab.sees("connection lost, trying again");
  await until(async () => (await tab.text()).match(/\bfirst\b/g)?.length === 2, "it is shown");
  await client.create(`${deepest}/second`);
  await unblock();
  await tab.sees("second");
  await tab.evaluate('location.hash = "#/tree?path=/shop/note"');
  await tab.sees("Read-only");
  await tab.sees("mine");
  await tab.evaluate('location.hash = "#/past?path=/shop/note"');
  await tab.sees("Compare with now");
  t.false((await tab.text()).includes("Bring back"));
  await tab.page.select("select", "dark");
  const dark = "getComputedStyle(document.body).backgroundColor";
  t.is(await tab.evaluate(dark), "rgb(20, 23, 26)");
  await tab.page.select("select", "light");
  t.is(await tab.evaluate(dark), "rgb(245, 246, 247)");
  t.deepEqual(tab.problems, []);
});

test.serial("how long requests took is shown by operation and by time", async (t) => {
  const { tab, client } = t.context;
  for (let number = 0; number < 20; number += 1) await client.set("/shop/note", `${number}`);
  await tab.click("link", "Latency");
  await tab.sees("99 of 100 within");
  await until(async () => /^set\s+[2-9]\d/m.test(await tab.text()), "the writes are counted");
  const choose = async (operation: string): Promise<number> => {
    await tab.page.locator('::-p-aria([name="Operation"][role="combobox"])').fill(operation);
    return Number(await tab.evaluate("document.querySelectorAll('.heat rect').length"));
  };
  const [sets, all] = [await choose("set"), await choose("all")];
  t.true(sets > 0 && all > sets, `${sets} fields of ${all}`);
  const paths = async (): Promise<string> =>
    String(await tab.evaluate("document.querySelector('[aria-label=\"By path\"]').innerText"));
  await until(async () => /^\/shop\/note\s+\d\d/m.test(await paths()), "the path is counted");
  t.deepEqual(await tab.barriers("latency"), []);
});

test.serial(
  "where the time of slow requests went is shown, at whichever node they were",
  async (t) => {
    const { tab, nodes } = t.context;
    const clients = await Promise.all(
      nodes.map((node) => connect(`zk://127.0.0.1:${node.clientPort}`)),
    );
    t.teardown(async () => void (await Promise.all(clients.map((each) => each.close()))));
    const slow = async (): Promise<readonly string[]> =>
      (await tab.evaluate(
        "[...document.querySelectorAll('[aria-label=\"Slow requests\"] tbody tr')].map((row) => row.innerText)",
      )) as readonly string[];
    const large = new Uint8Array(300_000);
    const isThere = async (node: number): Promise<boolean> => {
      await clients[node - 1]?.set("/shop/note", large);
      const rows = await slow();
      const at = rows.findIndex(
        (row) => row.includes(`at node ${node}`) && row.includes("/shop/note"),
      );
      return at >= 0 && /Most of it: [a-z ]+, [\d.,]+ ms\./.test(rows[at + 1] ?? "");
    };
    for (const node of [1, 2, 3]) {
      await until(() => isThere(node), `a slow request of node ${node} is shown with its stages`);
    }
    const head = String(await tab.evaluate("document.querySelector('.slow thead').innerText"));
    for (const stage of ["Gateway", "Own log", "Quorum", "Applied", "Reply"]) {
      t.true(head.includes(stage), head);
    }
    // Two of the three follow.
    t.true(head.includes("Gathered") && head.includes("To the leader and back"), head);
    const atLeader = async (): Promise<boolean> =>
      (await slow()).some((row) =>
        /At the leader, node [123]: gathered [\d.,]+ ms, its log /.test(row),
      );
    await until(atLeader, "what the leader's disk took is beside what a follower has waited");
    await tab.click("button", "Hold still");
    await tab.evaluate("document.querySelector('#slow').scrollIntoView()");
    t.deepEqual(await tab.barriers("slow"), []);
    t.true(Number(await tab.evaluate("document.querySelectorAll('.waterfall rect').length")) > 3);
  },
);

hostileCases(test);

test.serial(
  "a node that is gone does not answer, and why the election took so long is read from its phases",
  async (t) => {
    const { tab, nodes } = t.context;
    // Whoever leads hands over; the others refuse. On a machine with other work a leader may have to go on, and is asked again.
    for (const to of [2, 1]) {
      await until(async () => {
        const outcomes = await Promise.all(nodes.map((node) => node.transferLeadership(to)));
        return outcomes.some(({ kind }) => kind === "done");
      }, `node ${to} leads`);
    }
    await tab.click("link", "Elections");
    await tab.sees("node 1 leads handover");
    await nodes[0]?.stop();
    await tab.click("link", "Ensemble");
    await tab.sees("2 of 3 nodes serve. If one more fails, there is no majority left.");
    t.regex(await tab.text(), /Node 1 does not answer/);
    t.deepEqual(await tab.barriers("node-gone"), []);
    await tab.click("link", "Elections");
    await tab.sees("No answer of node 1.");
    // The newest is the first.
    const [, last = ""] = (await tab.text()).split(/^(?=Epoch )/m);
    t.regex(last, /^Epoch \d+: node [23] leads election\n/);
    t.regex(last, /Node [23]: (?:the process of node 1 is gone|node 1 was not heard for \d+ ms)\./);
    t.regex(last, /[23] leads[^a-z]*\d ms[^a-z]*\d ms/);
    t.regex(last, /[23] follows[^a-z]*\d ms[^a-z]*\d ms/);
    t.deepEqual(await tab.barriers("elections"), []);
  },
);

test.serial("nothing went wrong in the page, and nobody else was asked anything", async (t) => {
  const { tab, nodes } = t.context;
  t.deepEqual(tab.problems, []);
  const { headers, status } = await askAdmin(nodes[2]?.adminUrl ?? "", "/dashboard/");
  t.is(status, 200);
  const policy = headers.get("content-security-policy") ?? "";
  t.true(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self'"));
  t.false(policy.includes("unsafe"));
  t.is((await askAdmin(nodes[2]?.adminUrl ?? "", "/dashboard/other.js")).status, 404);
});
