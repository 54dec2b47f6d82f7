/**
 * One scheduler at a time: whoever is elected runs it for as long as its term lasts.
 *
 *     node --conditions=source examples/recipes/election.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

await using client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");
const election = client.election("/election/scheduler", { name: "scheduler-1" });
const { promise: seen, resolve } = Promise.withResolvers<string>();
const watching = election.leader$.subscribe((leader) => {
  if (leader !== undefined) resolve(leader.name);
});

for await (const term of election.terms()) {
  console.log(`elected, as all can see: ${await seen}`);
  await runScheduler(term.signal);
  break; // resigns
}
watching.unsubscribe();

async function runScheduler(signal: AbortSignal): Promise<void> {
  // It would go on until the signal aborts. Here it is done at once.
  signal.throwIfAborted();
  await client.sync();
}
