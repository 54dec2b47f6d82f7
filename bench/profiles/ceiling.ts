/**
 * Measures the load generator itself, against a server that does nothing. A server that comes near the result cannot be measured
 * with it.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { runningServers } from "../targets/running.ts";
import { loadProfile } from "./load.ts";
import type { ProfileContext } from "./profile.ts";

export async function ceiling(context: ProfileContext): Promise<void> {
  const entry = fileURLToPath(new URL("../load/zookeeper/null-server.ts", import.meta.url));
  const child = fork(entry, [`${context.options.valueBytes}`], { execArgv: [] });
  try {
    const [port] = await once(child, "message", { signal: context.signal });
    const server = await runningServers([{ host: "127.0.0.1", port: Number(port) }]);
    const targets = [{ ...server, name: "nothing" }];
    const record: ProfileContext["record"] = (measurement) =>
      context.record({ ...measurement, profile: "ceiling" });
    await loadProfile("custom", "").run({ ...context, targets, record });
  } finally {
    if (child.connected) child.disconnect();
  }
}
