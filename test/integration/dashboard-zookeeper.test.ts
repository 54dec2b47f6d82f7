/** `zooid dashboard` in a real Chromium, for a real Apache ZooKeeper: tree, znode, edit, delete and changes that others make. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { connect } from "../../client/connect.ts";
import { buildDashboard } from "../../dashboard/build.ts";
import { openBrowser, Tab } from "../support/browser.ts";
import { Child } from "../support/child.ts";
import { until } from "../support/until.ts";
import { COMMAND_LINE, runZooid } from "../support/zooid-command.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

test.serial(
  "an ensemble of Apache ZooKeeper has the tree, each znode, and what others change",
  async (t) => {
    await using stack = new AsyncDisposableStack();
    await buildDashboard();
    const folder = await mkdtemp(join(tmpdir(), "zooid-dashboard-zookeeper-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "token"), TOKEN);
    const server = await startZookeeper();
    stack.defer(() => server.stop());
    const url = `zk://127.0.0.1:${server.port}`;
    const client = await connect(url);
    stack.defer(() => client.close());
    await client.create("/shop", "open");
    await client.create("/shop/a/b", "below", { parents: true });
    const taken = await runZooid("dashboard", "--server", url, "--port", `${server.port}`);
    t.is(taken.code, 2);
    t.regex(taken.stderr, /--port \d+: it is in use; choose another, or 0 for a free one/);
    const audit = join(folder, "audit.jsonl");
    const dashboard = new Child({
      command: process.execPath,
      args: [
        ...[COMMAND_LINE, "dashboard", "--server", url, "--port", "0", "--writes"],
        ...["--token-file", join(folder, "token"), "--audit-file", audit],
      ],
    });
    stack.defer(async () => {
      dashboard.process.kill("SIGINT");
      await dashboard.exited;
    });
    const line = await dashboard.line(/the dashboard of/);
    t.true(line.includes(url));
    const [address = ""] = /http:\S+(?=\/;)/.exec(line) ?? [];
    const browser = await openBrowser();
    stack.defer(() => browser.close());
    const tab = await Tab.open(browser, `${address}/`);
    await tab.fill("Token", TOKEN);
    await tab.click("button", "Show");
    await tab.sees("1 of 1 nodes serve.");
    t.regex(await tab.text(), /Node 1 standalone/);
    t.regex(await tab.text(), /Zxid\s+0x[0-9a-f]+/);
    t.false((await tab.text()).includes("Elections"), "the protocol does not tell of them");
    t.deepEqual(await tab.barriers("zookeeper"), []);
    await tab.evaluate('location.hash = "#/tree?path=/shop"');
    await tab.sees("open");
    await client.set("/shop", "closed");
    await tab.sees("closed");
    await tab.click("button", "Edit value");
    await tab.fill("Value", "open again");
    await tab.click("button", "Review");
    await tab.click("button", "Save");
    await until(async () => {
      return Buffer.from((await client.get("/shop")).value ?? "").toString() === "open again";
    }, "it is saved");
    await tab.click("button", "Delete …");
    await tab.sees("It goes with all that is below it: 3 znodes.");
    await tab.fill("Type shop to delete them all", "shop");
    await tab.click("button", "Delete 3 znodes");
    await until(async () => (await client.exists("/shop")).stat === undefined, "it is deleted");
    await until(
      async () => (await readFile(audit, "utf8")).trim().split("\n").length === 4,
      "both changes are in the audit log",
    );
    t.deepEqual(tab.problems, []);
  },
);

test.serial(
  "who may write has to show a token, and a file without one and a server that is away are errors",
  async (t) => {
    const without = await runZooid("dashboard", "--writes");
    t.is(without.code, 2);
    t.regex(without.stderr, /--writes takes --token-file/);
    const token = await runZooid("dashboard", "--token-file", "/none/such");
    t.is(token.code, 2);
    const nobody = await runZooid(
      "dashboard",
      "--server",
      "zk://127.0.0.1:1",
      "--timeout-ms",
      "500",
    );
    t.is(nobody.code, 6);
  },
);
