/**
 * Workers wait until the schema is there; then two of them begin and end a batch together.
 *
 *     node --conditions=source examples/recipes/barrier.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const migration = client.barrier("/barriers/migration");
await migration.set();
let isMigrated = false;

async function worker(): Promise<void> {
  await migration.wait();
  console.log(`a worker begins, migrated: ${isMigrated}`);
  const batch = client.doubleBarrier("/barriers/batch", { members: 2 });
  await batch.enter();
  await batch.leave();
}

const workers = [worker(), worker()];
isMigrated = true;
await migration.remove();
await Promise.all(workers);
console.log("all have left");
