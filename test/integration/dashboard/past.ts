/** The pages of the past and the search: cases of `test/integration/dashboard.test.ts`, whose nodes and browser they share. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Client } from "../../../client/connect.ts";
import type { Tab } from "../../support/browser.ts";
import { type DashboardShared, type DashboardTest, SCRIPT_NAME } from "../../support/dashboard.ts";
import { until } from "../../support/until.ts";

const ACL = [
  { permissions: 13, scheme: "world", id: "anyone" },
  { permissions: 31, scheme: "digest", id: "deploy:qmf3fMaOdxg4jNOMSiLmTr/eKnc=" },
];

async function textOf(client: Client, path: string): Promise<string> {
  const { data } = await client.get(path);
  return new TextDecoder().decode(data ?? undefined);
}

function zxidIn(url: string): string {
  return new URLSearchParams(new URL(url).hash.split("?")[1]).get("zxid") ?? "";
}

async function show(tab: Tab, hash: string): Promise<void> {
  await tab.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Makes `/app` and deletes all of it in one transaction. Returns the zxids of the last tree with it, and of the delete. */
async function deleteByMistake(client: Client): Promise<readonly [string, string]> {
  await client.create("/app", "first");
  await client.create("/app/db", "db", { acl: ACL });
  await client.create("/app/db/url", "zk://db1:2181\nretries=3\n");
  await client.create(`/app/${SCRIPT_NAME}`, "<script>window.hacked='value'</script>");
  await client.create("/app/mine", "", { ephemeral: true });
  const { mzxid } = await client.set("/app", "second");
  const paths = ["/app/mine", `/app/${SCRIPT_NAME}`, "/app/db/url", "/app/db", "/app"];
  const { zxid } = await client
    .transaction((steps) => paths.map((path) => steps.delete(path)))
    .commit();
  return [`0x${mzxid.toString(16)}`, `0x${zxid.toString(16)}`];
}

async function undo(t: ExecutionContext<DashboardShared>): Promise<void> {
  const { tab, client, folder } = t.context;
  const [before, deletedAt] = await deleteByMistake(client);

  await show(tab, "#/tree?path=/app");
  await tab.sees("There is no such znode.");
  await tab.click("link", "History");
  await tab.sees("As it was before");
  const history = await tab.text();
  t.regex(history, /deleted[^]*by multi of session 0x[0-9a-f]+ from 127\.0\.0\.1[^]*value set/);
  t.true(history.includes(`zxid ${deletedAt}`));
  t.deepEqual(await tab.barriers("history"), []);

  await tab.click("link", "As it was before");
  await tab.sees("It is gone today.");
  await tab.sees("second");
  await tab.sees(`The past: as it was at zxid`);
  const tree = tab.page.locator("[role=tree]");
  await tree.click();
  await until(async () => (await tab.text()).includes("zookeeper"), "the tree of then is shown");
  await tab.page.waitForSelector(".tree-row.selected .twist");
  await tab.evaluate("document.querySelector('.tree-row.selected .twist').click()");
  await tab.sees("mine");
  await tab.sees(SCRIPT_NAME);
  t.deepEqual(await tab.barriers("past"), []);

  await tab.click("button", "Bring back …");
  await tab.sees("4 znodes are gone since then");
  await tab.sees("1 ephemeral is not brought back: its client makes it.");
  t.deepEqual(await tab.barriers("bring-back"), []);
  await tab.click("button", "Bring back 4 znodes");
  await tab.sees("4 znodes were brought back.");
  await tab.sees("/app/mine (ephemeral: its client makes it)");
  t.is(await textOf(client, "/app"), "second");
  t.is(await textOf(client, "/app/db/url"), "zk://db1:2181\nretries=3\n");
  // Who may read the list is not shown the hash, and it is there: its owner may change the znode.
  t.deepEqual(
    (await client.acl("/app/db")).acl.map(({ permissions, scheme }) => [permissions, scheme]),
    [
      [13, "world"],
      [31, "digest"],
    ],
  );
  t.is((await client.exists("/app/mine")).stat, undefined);
  const audit = (await readFile(join(folder, "audit.jsonl"), "utf8")).trim().split("\n");
  const last = JSON.parse(audit.at(-1) ?? "") as Readonly<Record<string, unknown>>;
  t.like(last, { what: "bring-back", path: "/app", from: before, made: 4, who: "token" });
  t.is(await tab.evaluate("window.hacked"), undefined);
}

async function compare(t: ExecutionContext<DashboardShared>): Promise<void> {
  const { tab, client } = t.context;
  const { zxid: from } = await client.create("/points");
  await client.create("/points/gone", "one\ntwo\n");
  const kept = await client.create("/points/kept", "one\ntwo\n");
  await client.delete("/points/gone");
  const { mzxid: to } = await client.set("/points/kept", "one\n2\n");
  await show(tab, `#/diff?path=/points&from=${kept.zxid}&to=${to}`);
  await tab.sees("2 differences");
  await tab.sees("changed: value");
  t.regex(await tab.text(), /deleted\s+\/points\/gone/);
  await tab.evaluate("document.querySelectorAll('.difference button')[2].click()");
  await tab.sees("− two");
  await tab.sees("+ 2");
  t.deepEqual(await tab.barriers("diff"), []);
  await show(tab, `#/diff?path=/points&from=${to}&to=${from}`);
  await tab.sees("the earlier zxid comes first");
}

async function travel(t: ExecutionContext<DashboardShared>): Promise<void> {
  const { tab, client } = t.context;
  const { mzxid } = await client.set("/points/kept", "newest\n");
  const latest = `0x${mzxid.toString(16)}`;
  await show(tab, `#/past?path=/points/kept&zxid=${latest}`);
  await tab.sees("newest");
  await tab.sees("Its value is the same today.");
  // The slider is there when the node has said what is kept, and the znode may be sooner.
  await tab.page.waitForSelector("input[type=range]");
  // Its keys choose the zxid before, and the address has it.
  await tab.page.focus("input[type=range]");
  await tab.page.keyboard.press("ArrowLeft");
  await until(() => zxidIn(tab.page.url()) === `0x${(mzxid - 1).toString(16)}`, "the zxid before");
  await tab.sees("Its value was set since: it has version 2.");
  t.is(await tab.evaluate("document.activeElement.type"), "range");
  await tab.click("button", "Before the last change here");
  await tab.sees("Its value was set since: it has version 2.");
  await until(async () => (await tab.text()).includes("two"), "the value that it had first");
  await tab.click("button", "Compare with now");
  await tab.sees("+ newest");
  await tab.fill("Exact zxid", "yesterday");
  await tab.click("button", "Show");
  await tab.sees('"yesterday" is no zxid');
  await tab.fill("Exact zxid", "0xff00000001");
  await tab.click("button", "Show");
  await tab.sees("0xff00000001 is ahead: the last zxid that is known is");
}

async function search(t: ExecutionContext<DashboardShared>): Promise<void> {
  const { tab, client } = t.context;
  const closed = [{ permissions: 31, scheme: "digest", id: "deploy:qmf3fMaOdxg4jNOMSiLmTr/eKnc=" }];
  await client.create("/find", "");
  await client.create("/find/a", "the needle is here");
  await client.create("/find/b", "the needle is there", { acl: closed });
  await client.create(`/find/${SCRIPT_NAME}`, new Uint8Array([0xfe, 0xed, 0xfa, 0xce]));
  await tab.click("link", "Search");
  await tab.fill("Whole path is like", "/**/url");
  await tab.click("button", "Search");
  await tab.sees("that was all");
  await tab.sees("/app/db/url");
  await show(tab, "#/search?path=/");
  await tab.fill("Value has", "needle");
  await tab.click("button", "Search");
  await tab.sees("the needle is here");
  await tab.sees("1 znode found");
  t.false((await tab.text()).includes("/find/b"));
  t.deepEqual(await tab.barriers("search"), []);
  await tab.fill("Value has", "ed fa");
  await tab.page.locator("input[type=checkbox]").click();
  await tab.click("button", "Search");
  await tab.sees(`/find/${SCRIPT_NAME}`);
  t.is(await tab.evaluate("document.querySelectorAll('img, #app script').length"), 0);
  await tab.fill("Value has", "e");
  await tab.click("button", "Search");
  await tab.sees("two hexadecimal digits for each byte");
}

export function pastCases(test: DashboardTest): void {
  test.serial("a wrong recursive delete is looked back at, and what is gone is brought back", undo);
  test.serial("two points are compared, each znode before and after", compare);
  test.serial(
    "the past is gone through with the keys, and what is no moment of it is said",
    travel,
  );
  test.serial("znodes are found by path, by text and by bytes, but for what is closed", search);
}
