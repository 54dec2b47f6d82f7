/** Who may have the admin server change something: no page from elsewhere. Asked over HTTP, without a node behind it. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import test from "ava";
import { AdminServer } from "../../../../server/admin/admin-server.ts";
import { loadConfig } from "../../../../server/config/load.ts";

type Headers = Readonly<Record<string, string>>;

async function ask(url: string, headers: Headers): Promise<readonly [number, string]> {
  const asked = request(url, { headers, agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return [response.statusCode ?? 0, await text(response)];
}

const CHANGES = [
  "stat_reset",
  "srst",
  "crst",
  "set_trace_mask?traceMask=1",
  "stmk?traceMask=1",
].map((command) => `/commands/${command}`);

test("a page from elsewhere sets nothing, and a page of the admin server and a program do", async (t) => {
  const flags = new Map([
    ["admin-port", "0"],
    ["admin-changes", "true"],
  ]);
  const loading = loadConfig({ transport: "memory", flags });
  if (loading.kind === "invalid") throw new Error(JSON.stringify(loading.problems));
  const levels: string[] = [];
  const server = await AdminServer.open({
    config: { ...loading.config, lanes: 0 },
    ports: () => undefined,
    say: () => undefined,
    logControl: { level: () => "info", setLevel: (level) => levels.push(level) },
  });
  t.teardown(() => server.close());
  const { url } = server;
  const foreign: readonly Headers[] = [
    { origin: "http://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    for (const path of [...CHANGES, "/log-level?level=debug"]) {
      const [status, body] = await ask(`${url}${path}`, headers);
      t.is(status, 403, path);
      t.regex(body, /a page (of|from) .* may change nothing here/);
    }
    t.deepEqual(await ask(`${url}/log-level`, headers), [200, "info\n"], "it may look");
  }
  t.deepEqual(levels, []);
  for (const headers of [{}, { origin: url, "sec-fetch-site": "same-origin" }]) {
    // No node is there that it could be asked of.
    for (const path of CHANGES) t.is((await ask(`${url}${path}`, headers))[0], 503, path);
    t.is((await ask(`${url}/log-level?level=debug`, headers))[0], 200);
  }
  t.deepEqual(levels, ["debug", "debug"]);
});
