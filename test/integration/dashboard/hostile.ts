/** Names, values and identities that want to be more than text, on every page that shows some: cases of `test/integration/dashboard.test.ts`. */
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { Encoder } from "cbor-x";
import type { ExecutionContext } from "ava";
import { Tab } from "../../support/browser.ts";
import { type DashboardShared, type DashboardTest, SCRIPT_NAME } from "../../support/dashboard.ts";
import { until } from "../../support/until.ts";
import { ZkClient } from "../../support/zookeeper-client/client.ts";
import { auth, create, exists, setData } from "../../support/zookeeper-client/operations.ts";

/** Names have no slash. */
const NAMES: readonly string[] = [
  SCRIPT_NAME,
  "\"><script>window.hacked='attribute'",
  "javascript:window.hacked='link'",
  "'-(window.hacked='string')-'",
  "<svg onload=window.hacked='svg'>",
  "&lt;img src=x onerror=window.hacked='entity'&gt;",
  "%3Cimg src=x onerror=window.hacked='encoded'%3E",
  "${window.hacked='template'}",
];
const SCRIPT =
  "</pre><script>window.hacked='value'</script><img src=x onerror=window.hacked='image'>";
const TOP = "/hostile";

/** What a browser would have made of them. */
const MADE = `(() => {
  const inside = document.querySelector("#app");
  const tags = inside.querySelectorAll("script, img, iframe, object, embed, base, link, meta, style");
  const handlers = [...inside.querySelectorAll("*")].filter((element) =>
    element.getAttributeNames().some((name) => name.startsWith("on") || name === "srcdoc"));
  const links = [...document.links].filter((link) =>
    !link.href.startsWith(location.origin + "/dashboard/#/"));
  return [window.hacked, tags.length, handlers.length, links.map((link) => link.href)];
})()`;

async function isText(t: ExecutionContext<DashboardShared>, where: string): Promise<void> {
  t.deepEqual(await t.context.tab.evaluate(MADE), [null, 0, 0, []], where);
}

const hashOf = (page: string, query: Readonly<Record<string, string>> = {}): string =>
  `#/${page}?${new URLSearchParams(query).toString()}`;

export function hostileCases(test: DashboardTest): void {
  textCase(test);
  foreignPageCase(test);
}

function textCase(test: DashboardTest): void {
  test.serial("names, values and identities stay text on every page that shows some", async (t) => {
    const { tab, client, nodes } = t.context;
    // undefined is no JSON.
    await tab.evaluate("window.hacked = null");
    await client.create(TOP, SCRIPT);
    const [first = ""] = NAMES;
    for (const name of NAMES) await client.create(`${TOP}/${name}`, SCRIPT);
    const { mzxid } = await client.set(`${TOP}/${first}`, "javascript:window.hacked='value'");
    const lock = `${TOP}/${NAMES[1] ?? ""}`;
    const zk = await ZkClient.connect({ port: nodes[2]?.clientPort ?? 0 });
    // This client sends no pings by itself, and a busy machine may take longer than its session lasts.
    const alive = setInterval(() => void zk.request(exists(TOP)), 1000);
    t.teardown(async () => {
      clearInterval(alive);
      await zk.close();
    });
    await zk.request(auth("digest", `${SCRIPT_NAME}:secret`));
    await zk.request(create(`${lock}/lock-0000000000`, SCRIPT, { mode: 1 }));
    await zk.request(exists(`${TOP}/${first}`, true));
    for (let times = 0; times < 20; times += 1)
      await zk.request(setData(`${TOP}/${first}`, SCRIPT));
    const { zxid } = await client
      .transaction((steps) => [steps.delete(`${TOP}/${NAMES[2] ?? ""}`)])
      .commit();
    const [from, to] = [`0x${mzxid.toString(16)}`, `0x${zxid.toString(16)}`];
    const beside = new Encoder({ useRecords: false }).encode({ [SCRIPT]: SCRIPT });
    await client.create(`${TOP}/cbor`, beside);
    await client.create(`${TOP}/packed`, gzipSync(SCRIPT));
    await client.create(`${TOP}/json`, JSON.stringify({ [SCRIPT]: [SCRIPT] }));

    const see = async (hash: string, text: string): Promise<void> => {
      await tab.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await tab.sees(text);
      await isText(t, hash);
    };
    for (const name of NAMES.filter((_, index) => index !== 2)) {
      await see(hashOf("tree", { path: `${TOP}/${name}` }), name);
    }
    for (const name of ["cbor", "packed", "json"]) {
      await see(hashOf("tree", { path: `${TOP}/${name}` }), "<script>window.hacked");
    }
    await see(hashOf("history", { path: TOP, below: "true" }), first);
    await see(hashOf("history", { path: `${TOP}/${NAMES[2] ?? ""}` }), "deleted");
    await see(hashOf("past", { path: `${TOP}/${NAMES[2] ?? ""}`, zxid: from }), NAMES[2] ?? "");
    await see(hashOf("diff", { path: TOP, from, to }), NAMES[2] ?? "");
    await see(hashOf("search", { path: TOP, pattern: `${TOP}/**`, value: "<script>" }), first);
    await see(hashOf("locks", { path: lock }), "holds it");
    await see(hashOf("locks", { path: TOP }), "Nobody stands in line");
    await tab.click("button", "Find below");
    await tab.sees("1 found.");
    await isText(t, "found");
    await see(hashOf("sessions"), `digest:${SCRIPT_NAME}`);
    await tab.fill("Find a number, address, identity or node", "onerror");
    await tab.sees("1 session of ");
    const session = /0x[0-9a-f]+/.exec(
      String(await tab.evaluate("document.querySelector('tbody tr').innerText")),
    )?.[0];
    await see(hashOf("sessions", { id: session ?? "" }), lock);
    await see(hashOf("latency"), `${TOP}/${first}`);
    // What stands in the address is somebody else's, too.
    for (const page of ["sessions", "tree", "locks", "history"]) {
      const query = page === "sessions" ? { id: SCRIPT_NAME } : { path: SCRIPT_NAME };
      await tab.evaluate(`location.hash = ${JSON.stringify(hashOf(page, query))}`);
      const length = "document.querySelector('main')?.innerText.length";
      await until(async () => Number(await tab.evaluate(length)) > 20, `${page} says something`);
      await isText(t, page);
    }
    await tab.evaluate(`location.hash = ${JSON.stringify(`#/${SCRIPT_NAME}`)}`);
    await tab.sees("nodes serve");
    await isText(t, "a page that there is not");
    t.deepEqual(tab.problems, []);
  });
}

function foreignPageCase(test: DashboardTest): void {
  test.serial(
    "a page of somebody else's reads and changes nothing by the browser of who looks at it",
    async (t) => {
      const { browser, nodes, client } = t.context;
      // The node asks for no token of who is on the machine, as the browser is.
      const target = nodes[0]?.adminUrl ?? "";
      const evil = createServer((_, response) => {
        response.setHeader("Content-Type", "text/html");
        response.end(
          "<!doctype html><title>evil</title><form method=post target=frame enctype=text/plain></form><iframe name=frame></iframe>",
        );
      });
      await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
      t.teardown(() => evil.close());
      const { port } = evil.address() as { readonly port: number };
      const tab = await Tab.open(browser, `http://127.0.0.1:${port}/`);
      const tried = (script: string): Promise<unknown> =>
        tab.evaluate(
          `(async () => { try { return await (${script}); } catch (error) { return error.name; } })()`,
        );
      for (const name of ["access", "znode?path=/", "sessions", "slow-requests"]) {
        const url = JSON.stringify(`${target}/api/v1/${name}`);
        t.is(await tried(`fetch(${url}).then((response) => response.text())`), "TypeError", name);
        const opaque = `fetch(${url}, { mode: "no-cors" }).then((response) => response.text())`;
        t.true(["", "TypeError"].includes(String(await tried(opaque))), name);
      }
      const body = JSON.stringify({ path: "/evil", text: "x" });
      for (const node of [nodes[0], nodes[2]]) {
        const url = JSON.stringify(`${node?.adminUrl}/api/v1/create`);
        for (const [mode, type] of [
          ["no-cors", "text/plain"],
          ["cors", "application/json"],
        ] as const) {
          const options = JSON.stringify({
            method: "POST",
            mode,
            body,
            headers: { "Content-Type": type },
          });
          const outcome = await tried(
            `fetch(${url}, ${options}).then((response) => response.type)`,
          );
          t.true(outcome === "opaque" || outcome === "TypeError", String(outcome));
        }
        await tab.evaluate(`(() => {
        const form = document.forms[0];
        form.action = ${url};
        // Together with the sign between them they are JSON.
        form.innerHTML = "<input>";
        form.firstChild.name = '{"path":"/evil","text":"';
        form.firstChild.value = '"}';
        form.submit();
      })()`);
      }
      // The dashboard lets nobody show it in a frame.
      await tab.evaluate(
        `document.querySelector("iframe").src = ${JSON.stringify(`${target}/dashboard/`)}`,
      );
      await until(
        async () => tab.page.frames().some((frame) => frame.url().startsWith("chrome-error:")),
        "the frame is refused",
      );
      t.is((await client.exists("/evil")).stat, undefined);
    },
  );
}
