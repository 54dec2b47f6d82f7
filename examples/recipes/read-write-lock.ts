/**
 * Many readers, or one writer.
 *
 *     node --conditions=source examples/recipes/read-write-lock.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const lock = client.readWriteLock("/locks/report");
{
  await using first = await lock.read();
  await using second = await lock.read();
  console.log(`readers together: ${first.remainingMs > 0 && second.remainingMs > 0}`);
  await lock.write({ waitMs: 0 }).catch(({ code }: { code: string }) => {
    console.log(`a writer meanwhile: ${code}`);
  });
}
await using alone = await lock.write();
console.log(`then a writer alone: ${alone.remainingMs > 0}`);
