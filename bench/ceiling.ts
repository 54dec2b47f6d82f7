/**
 * Measures the load generator itself, against a server that does nothing. A server that comes near the result cannot be measured
 * with it.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadTest } from "./load-test.ts";
import type { LoadOptions } from "./options.ts";
import type { Screen } from "./screen.ts";

export async function ceiling(
  options: LoadOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const entry = fileURLToPath(new URL("./null-server.ts", import.meta.url));
  const child = fork(entry, [`${options.valueBytes}`], { execArgv: [] });
  try {
    const [port] = await once(child, "message", { signal });
    const targets = [{ host: "127.0.0.1", port: Number(port) }];
    await loadTest({ ...options, targets, zookeeper: false }, screen, signal);
  } finally {
    if (child.connected) child.disconnect();
  }
}
