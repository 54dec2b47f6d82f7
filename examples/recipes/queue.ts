/**
 * Workers that share a queue of mails: each mail is sent by one of them, and by another one when that one dies. Start several.
 *
 *     node --conditions=source examples/recipes/queue.ts nats://127.0.0.1:4222
 */
import { connect, json, key } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

// All workers together send at most ten mails a second.
const rate = client.rateLimit("/mails/rate", { perSecond: 10, burst: 10, reserve: 5 });
// The first worker of all puts a mail into the queue.
using mails = client.queue(key("/mails", { codec: json }), { tries: 3 });
await client.once("/mails/welcome", () => mails.put({ to: "ada" }, { priority: 10 }));

while (!stop.signal.aborted) {
  try {
    // At the end of the block the mail is back in the queue, unless it is done.
    await using job = await mails.take({ signal: stop.signal });
    await rate.take(1, { waitMs: 5_000, signal: job.signal });
    console.log(`try ${job.tries}: ${JSON.stringify(job.value)}`);
    // The count and the end of the job are one transaction, which only its holder can do.
    await job.done((make) => [make.create(`/mails/sent-${job.name}`)]);
    console.log("sent");
  } catch (error) {
    if (!stop.signal.aborted) console.log("again:", error);
  }
}
