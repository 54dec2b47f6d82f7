/**
 * A process whose listener cannot accept a connection because no file descriptor is left. It opens files until there are none, reports
 * the CPU time that it used until `go on`, closes the files, and then answers every connection.
 */
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Listener } from "../../runtime/connections/listener.ts";

const listener: Listener = new Listener({
  doors: [{ host: "127.0.0.1", port: 0 }],
  onMessage: (message) => {
    if (message.kind !== "bytes") return;
    listener.perform({ ...message, kind: "write", bytes: Buffer.from("served") });
  },
});

const [address] = await listener.listen();
const files: number[] = [];
try {
  for (;;) files.push(openSync("/dev/null", "r"));
} catch {
  process.stdout.write(`port ${address?.port}\n`);
}
const before = process.cpuUsage();
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== "go on") continue;
  const { user, system } = process.cpuUsage(before);
  for (const file of files.splice(0)) closeSync(file);
  process.stdout.write(`cpu ${Math.ceil((user + system) / 1000)} ms\n`);
}
