/**
 * At most two at a time, of five who want to.
 *
 *     node --conditions=source examples/recipes/semaphore.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const semaphore = client.semaphore("/semaphores/gpu", { permits: 2 });
let [now, most] = [0, 0];

async function work(): Promise<void> {
  await using permit = await semaphore.acquire();
  permit.signal.throwIfAborted();
  now += 1;
  most = Math.max(most, now);
  await client.sync();
  now -= 1;
}

await Promise.all(Array.from({ length: 5 }, work));
console.log(`at most two at a time: ${most <= 2}`);
