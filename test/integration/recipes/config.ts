/** Live configuration against a node of zooid, with files. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Client } from "../../../client/client.ts";
import { type Config, openConfig } from "../../../client/recipes/config.ts";
import { FallbackFile } from "../../../client/recipes/fallback-file.ts";
import { key } from "../../../client/values.ts";
import { UnreachableError } from "../../../protocol/errors.ts";
import { changedClient, sharedClients, sharedHost } from "../../support/recipes.ts";

type App = { readonly perSecond: number };

let client: Client;
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "zooid-config-"));
  [client] = await sharedClients();
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

const schema: StandardSchemaV1<App> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof (value as App).perSecond === "number"
        ? { value: value as App }
        : { issues: [{ message: "no number", path: ["perSecond"] }] },
  },
};

async function shows(config: Config<App>, perSecond: number): Promise<void> {
  await firstValueFrom(config.value$.pipe(filter((value) => value.perSecond === perSecond)));
}

test("a value is followed, and a bad one is told and not used", async (t) => {
  const App = key("/config/app", { schema });
  await client.put(App, { perSecond: 1 });
  await using config = await client.config(App);
  t.deepEqual([config.value, config.source], [{ perSecond: 1 }, "ensemble"]);
  await client.put(App, { perSecond: 2 });
  await shows(config, 2);
  const problem = firstValueFrom(config.problems$);
  await client.set(App.path, '{"perSecond":"many"}');
  t.like(await problem, {
    kind: "invalid",
    error: { code: "ZOOID_INVALID_VALUE", issues: [{ path: ["perSecond"] }] },
  });
  t.deepEqual([config.value, config.problem?.kind], [{ perSecond: 2 }, "invalid"]);
  const missing = firstValueFrom(config.problems$);
  await client.delete(App);
  t.is((await missing).kind, "missing");
  await client.put(App, { perSecond: 3 });
  await shows(config, 3);
  t.is(config.problem, undefined);
});

test("the last good value is in the file, and a process starts from it while the znode is bad", async (t) => {
  const App = key("/config/kept", { schema });
  const fallbackFile = join(folder, "kept.json");
  await client.put(App, { perSecond: 1 });
  {
    await using config = await client.config(App, { fallbackFile });
    await client.put(App, { perSecond: 5 });
    await shows(config, 5);
    const problem = firstValueFrom(config.problems$);
    await client.set(App.path, "{");
    await problem;
  }
  t.is(await readFile(fallbackFile, "utf8"), '{"perSecond":5}');
  t.deepEqual(
    await readdir(folder).then((names) => names.filter((name) => /^kept.*tmp/.test(name))),
    [],
  );
  await using config = await client.config(App, { fallbackFile });
  t.deepEqual([config.value, config.source], [{ perSecond: 5 }, "file"]);
});

test("without a good value and without a file there is no configuration", async (t) => {
  const None = key("/config/none", { schema });
  await t.throwsAsync(client.config(None), { code: "ZOOID_NO_NODE" });
  const fallbackFile = join(folder, "bad.json");
  await writeFile(fallbackFile, "{}");
  await t.throwsAsync(client.config(None, { fallbackFile }), { code: "ZOOID_NO_NODE" });
});

test("an ensemble that does not answer in time is waited for no longer", async (t) => {
  const App = key("/config/late", { schema });
  const fallbackFile = join(folder, "late.json");
  const silent = changedClient(client, {
    request: async () => Promise.withResolvers<never>().promise,
  });
  await t.throwsAsync(silent.config(App, { fallbackFile, fallbackAfterMs: 1 }), {
    code: "ZOOID_UNREACHABLE",
  });
  await writeFile(fallbackFile, '{"perSecond":9}');
  await using config = await silent.config(App, { fallbackFile, fallbackAfterMs: 1 });
  t.deepEqual([config.value, config.problem?.kind], [{ perSecond: 9 }, "unreachable"]);
});

test("a process starts from its file while nothing can be reached", async (t) => {
  const App = key("/config/away", { schema });
  const fallbackFile = join(folder, "away.json");
  await writeFile(fallbackFile, '{"perSecond":7}');
  await client.put(App, { perSecond: 8 });
  let isAway = true;
  const connect = async (): Promise<Client> => {
    if (isAway) throw new UnreachableError("away");
    return (await sharedHost()).connect();
  };
  await using config = await openConfig(connect, App, { fallbackFile });
  t.deepEqual([config.value, config.source], [{ perSecond: 7 }, "file"]);
  isAway = false;
  await shows(config, 8);
  t.is(config.source, "ensemble");
});

test("of values that come faster than the disk the last one is in the file", async (t) => {
  const file = join(folder, "fast");
  const fallback = new FallbackFile(file, "test");
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  await Promise.all([1, 2, 3, 4].map(async (value) => fallback.write(bytes(String(value)))));
  t.is(await readFile(file, "utf8"), "4");
  await t.throwsAsync(new FallbackFile(join(folder, "no", "file"), "x").write(bytes("1")), {
    code: "ENOENT",
  });
});
