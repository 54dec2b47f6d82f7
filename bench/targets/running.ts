/** Servers that somebody else has started. Only their answers can be measured, and they are not stopped afterwards. */
import type { Address } from "../load/plan.ts";
import { type Target, versionOf } from "./target.ts";

export async function runningServers(addresses: readonly Address[]): Promise<Target> {
  return {
    name: "target",
    protocol: "zookeeper",
    version: await versionOf(addresses[0]),
    durability: "as its servers are configured",
    addresses,
    processes: [],
    problems: () => [],
    [Symbol.asyncDispose]: async () => {},
  };
}
