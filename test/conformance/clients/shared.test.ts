/** The client of zooid and clients that others wrote use one counter, one group and one service at the same time. */
import { fileURLToPath } from "node:url";
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import { type Client, key, text } from "../../../client/connect.ts";
import { Child } from "../../support/child.ts";
import { compileJava, type JavaPrograms } from "../../support/java.ts";
import { type RecipesHost, startRecipesHost } from "../../support/recipes.ts";

const COUNTS = 25;
const PATIENCE_MS = 300_000;

let host: RecipesHost;
let client: Client;
let java: JavaPrograms | undefined;

test.before(async (t) => {
  t.timeout(PATIENCE_MS);
  const compiled = compileJava(fileURLToPath(new URL("shared", import.meta.url)));
  host = await startRecipesHost();
  client = await host.connect();
  java = await compiled;
});

test.after.always(async () => {
  await Promise.all([host.stop(), java?.remove()]);
});

async function ended(child: Child): Promise<void> {
  child.write("end\n");
  await child.exited;
  if (child.process.exitCode !== 0) throw new Error(child.output());
}

test("Curator counts, takes part and offers a service together with the client of zooid", async (t) => {
  t.timeout(PATIENCE_MS);
  if (java === undefined) throw new Error("the program is not there");
  const curator = java.start("CuratorShared", [`127.0.0.1:${host.clientPort}`, String(COUNTS)]);
  const counter = client.counter("/shared/long");
  const service = client.service<string>("/shared/discovery/echo");
  try {
    for (let left = COUNTS; left > 0; left -= 1) await counter.add();
    await curator.line(/^counted$/);
    t.is(await counter.value({ consistency: "linearizable" }), BigInt(2 * COUNTS));
    await client.join("/shared/group", "of zooid", { name: "zooid" });
    const members = await curator.line(/^members/);
    t.is(members, "members {curator=of Curator, zooid=of zooid}");
    await service.register({ id: "zooid", address: "localhost", port: 80, payload: "of zooid" });
    t.is(
      await curator.line(/^instances/),
      "instances [curator 127.0.0.1:1001 of Curator DYNAMIC true, zooid localhost:80 of zooid DYNAMIC true]",
    );
    const names = (await client.members("/shared/group").list()).map(({ name }) => name);
    t.deepEqual(names, ["curator", "zooid"]);
    const picked = await service.pick({ exclude: ["zooid"], waitMs: PATIENCE_MS });
    const { id, address, port, payload } = picked;
    t.deepEqual(
      { id, address, port, payload },
      {
        id: "curator",
        address: "127.0.0.1",
        port: 1001,
        payload: "of Curator",
      },
    );
    await ended(curator);
    await firstValueFrom(service.instances$.pipe(filter(({ length }) => length === 1)));
  } finally {
    curator.kill("SIGKILL");
    service[Symbol.dispose]();
  }
});

test("kazoo counts and takes part together with the client of zooid", async (t) => {
  t.timeout(PATIENCE_MS);
  const script = fileURLToPath(new URL("kazoo_shared.py", import.meta.url));
  const kazoo = new Child({
    command: "/usr/bin/python3",
    args: ["-B", script, `127.0.0.1:${host.clientPort}`, String(COUNTS)],
  });
  try {
    const counter = client.counter("/shared/digits", { layout: "kazoo" });
    for (let left = COUNTS; left > 0; left -= 1) await counter.add();
    await kazoo.line(/^counted$/);
    t.is(await counter.value({ consistency: "linearizable" }), BigInt(2 * COUNTS));
    const Party = key("/shared/party", { codec: text });
    await client.join(Party, "zooid", { layout: "kazoo" });
    t.is(await kazoo.line(/^party/), "party ['kazoo', 'zooid']");
    const party = client.members(Party, { layout: "kazoo" });
    const values = (await party.list()).map(({ value }) => value);
    t.deepEqual(values.toSorted(), ["kazoo", "zooid"]);
    await ended(kazoo);
    await firstValueFrom(party.members$.pipe(filter(({ length }) => length === 1)));
  } finally {
    kazoo.kill("SIGKILL");
  }
});
