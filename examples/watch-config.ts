/**
 * A program that follows its configuration: it reads it once, then hears every change of it, in order and without a gap,
 * also when its node or the NATS server goes away and comes back.
 *
 *     node --conditions=source examples/watch-config.ts nats://127.0.0.1:4222
 */
import { connect } from "zooid/client";

const PATH = "/config";
const client = await connect(process.argv[2] ?? "nats://127.0.0.1:4222");

if ((await client.exists(PATH)).stat === undefined) await client.create(PATH, "greeting=hello");
const { data, zxid } = await client.get(PATH);
show("now", data);

client.changes(PATH, { from: zxid }).subscribe((change) => {
  if (change.kind === "data") show("changed", change.data ?? null);
  if (change.kind === "deleted") void client.close();
});

function show(word: string, bytes: Uint8Array | null): void {
  console.log(`${word}: ${bytes === null ? "" : new TextDecoder().decode(bytes)}`);
}
