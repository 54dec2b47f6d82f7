/**
 * A service whose instances find each other: each registers itself with its zone, follows the configuration that all share, and asks another
 * instance of its own zone if there is one. Start several.
 *
 *     node --conditions=source examples/recipes/service.ts nats://127.0.0.1:4222 a
 */
import { connect, json, key } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const zone = process.argv[3] ?? "a";

const Greeting = key<unknown>("/config/greeting", { codec: json });
await client.create(Greeting, "hello", { parents: true, ifNotExists: true });
await using config = await client.config(Greeting);
config.problems$.subscribe(({ kind }) => console.log(`keeping the last good value: ${kind}`));

using service = client.service<{ zone: string }>("/services/greeter", { prefer: { zone } });
await using me = await service.register({
  address: "127.0.0.1",
  port: 8080,
  payload: { zone },
});
const number = await client.counter("/services/started").add();
console.log(`instance ${number} in zone ${zone}`);

const { payload } = await service.pick({ exclude: [me.name], waitMs: 60_000 });
console.log(`${JSON.stringify(config.value)} from zone ${payload.zone}`);

// It stays one of the instances until it is told to end.
await new Promise((resolve) => process.once("SIGTERM", resolve));
