/** Discovery of services against a node of zooid. */
import test from "ava";
import { filter, firstValueFrom } from "rxjs";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Client } from "../../../client/client.ts";
import type { Balance, Service } from "../../../client/recipes/service.ts";
import { sharedClients } from "../../support/recipes.ts";

type Endpoint = { readonly zone: string };

let one: Client;
let two: Client;

test.before(async () => {
  [one, two] = await sharedClients();
});

const schema: StandardSchemaV1<Endpoint> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof (value as Endpoint).zone === "string"
        ? { value: value as Endpoint }
        : { issues: [{ message: "no zone" }] },
  },
};

/** A service with the instances a1, a2 and b1, each in the zone of its letter. */
async function filled(path: string, balance: Balance): Promise<Service<Endpoint>> {
  const service = two.service(path, { schema, balance, prefer: { zone: "a" } });
  const writer = one.service(path, { schema });
  for (const id of ["a1", "a2", "b1"]) {
    const payload = { zone: id.slice(0, 1) };
    await writer.register({ id, address: "127.0.0.1", port: 1, payload });
  }
  await firstValueFrom(service.instances$.pipe(filter(({ length }) => length === 3)));
  return service;
}

test("an instance is the JSON that Curator reads and writes", async (t) => {
  const echo = one.service("/discovery/echo", { schema });
  await echo.register({ id: "x", address: "10.0.0.1", port: 80, payload: { zone: "a" } });
  const { data } = await one.get("/discovery/echo/x");
  t.deepEqual(JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())), {
    name: "echo",
    id: "x",
    address: "10.0.0.1",
    port: 80,
    sslPort: null,
    payload: { zone: "a" },
    registrationTimeUTC: 0,
    serviceType: "DYNAMIC",
    uriSpec: null,
    enabled: true,
  });
});

test("each instance of the preferred zone has its turn, and others come when none is left", async (t) => {
  using service = await filled("/discovery/turns", "round-robin");
  const picks: string[] = [];
  for (let pick = 0; pick < 3; pick += 1) picks.push((await service.pick()).id);
  t.deepEqual(picks, ["a1", "a2", "a1"]);
  t.is((await service.pick({ exclude: ["a1", "a2"] })).id, "b1");
  await t.throwsAsync(service.pick({ exclude: ["a1", "a2", { id: "b1" }] }), {
    code: "ZOOID_NO_INSTANCE",
  });
});

test("the least busy instance is picked until it is released", async (t) => {
  using service = await filled("/discovery/busy", "least-busy");
  const first = await service.pick();
  const second = await service.pick();
  t.deepEqual([first.id, second.id], ["a1", "a2"]);
  second.release();
  second.release();
  t.is((await service.pick()).id, "a2");
});

test("a random pick is one of the preferred", async (t) => {
  using service = await filled("/discovery/random", "random");
  for (let pick = 0; pick < 8; pick += 1) t.is((await service.pick()).payload.zone, "a");
});

test("a pick waits for an instance, which is gone when it has left", async (t) => {
  using service = two.service("/discovery/late", { schema });
  await t.throwsAsync(service.pick({ waitMs: 1 }), { code: "ZOOID_NO_INSTANCE" });
  const picked = service.pick({ waitMs: 60_000 });
  const writer = one.service("/discovery/late", { schema });
  const late = await writer.register({ address: "a", payload: { zone: "a" } });
  t.is((await picked).id, late.name);
  await late.leave();
  await firstValueFrom(service.instances$.pipe(filter(({ length }) => length === 0)));
  t.deepEqual(await service.instances(), []);
});

test("an instance that is not enabled, or whose payload is not valid, is not picked", async (t) => {
  const writer = one.service("/discovery/bad");
  await writer.register({ id: "1", address: "a", payload: { zone: 1 } });
  await writer.register({ id: "2", address: "a", payload: { zone: "a" }, enabled: false });
  await one.create("/discovery/bad/3", "{}");
  using service = one.service("/discovery/bad", { schema });
  t.deepEqual(
    (await service.instances()).map(({ id }) => id),
    ["2"],
  );
  await t.throwsAsync(service.pick(), { code: "ZOOID_NO_INSTANCE" });
});

test("an instance that says something else of itself is told so before anybody sees it", async (t) => {
  const service = one.service("/discovery/own", { schema });
  await t.throwsAsync(service.register({ address: "a", payload: {} as Endpoint }), {
    code: "ZOOID_INVALID_VALUE",
    message: /payload: no zone/,
  });
  t.throws(() => one.service("/x", { balance: "best" as Balance }), {
    code: "ZOOID_BAD_ARGUMENTS",
  });
});
