/**
 * One at a time, with a fence: whoever holds the lock adds to a counter, and says with which fence.
 *
 *     node --conditions=source examples/recipes/lock.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
await client.create("/imports", "0", { ifNotExists: true });

await using lock = await client.lock("/locks/import", { waitMs: 30_000 });
const { data } = await client.get("/imports");
const next = Number(new TextDecoder().decode(data ?? undefined)) + 1;

// Inside the ensemble: nothing is written unless the lock is still held.
await client
  .transaction((t) => [t.set("/imports", String(next))])
  .if(lock.isHeld)
  .commit();

// Outside of it: the other side refuses fences below the largest that it has seen; the signal ends what takes long.
lock.signal.throwIfAborted();
console.log(`import ${next} with a fence: ${lock.fence > 0n}`);
