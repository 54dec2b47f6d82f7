/** Nodes in this process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryNetwork } from "../../runtime/testing/memory-transport.ts";
import { realClock } from "../../runtime/real-clock.ts";
import { loadConfig } from "../../server/config/load.ts";
import { launchNode } from "../../server/node.ts";
import type { RunningNode } from "../../server/running-node.ts";

export type Flags = Readonly<Record<string, string>>;

const MEMBERS = ["1", "2", "3"] as const;
const SERVERS = "1=db1:2888:3888;2181,2=db2:2888:3888;2181,3=db3:2888:3888;2181";

/** The configuration of a node with an admin server, by which others in this process are reached. */
export function memoryConfig(flags: Flags): Parameters<typeof launchNode>[0] {
  const own = { "client-port": "0", "client-port-address": "127.0.0.1", lanes: "0" };
  const loaded = loadConfig({
    transport: "memory",
    flags: new Map(Object.entries({ ...own, "admin-port": "0", ...flags })),
  });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

/** Three nodes, `db1` to `db3` to their clients, and the folder that theirs are in. */
export class MemoryEnsemble {
  readonly folder: string;
  readonly #launching: readonly Promise<RunningNode>[];

  static async launch(
    flagsOf: (id: string, folder: string) => Flags | Promise<Flags>,
  ): Promise<MemoryEnsemble> {
    const folder = await mkdtemp(join(tmpdir(), "zooid-three-"));
    const network = new MemoryNetwork(realClock);
    const launch = async (id: string): Promise<RunningNode> => {
      const flags = { id, members: MEMBERS.join(), servers: SERVERS, "data-dir": join(folder, id) };
      const config = memoryConfig({ ...flags, ...(await flagsOf(id, folder)) });
      return launchNode(config, { transport: network.join(config.id) });
    };
    return new MemoryEnsemble(folder, MEMBERS.map(launch));
  }

  private constructor(folder: string, launching: readonly Promise<RunningNode>[]) {
    this.folder = folder;
    this.#launching = launching;
  }

  /** In the order of their numbers, once all serve. */
  async ready(): Promise<readonly RunningNode[]> {
    const nodes = await Promise.all(this.#launching);
    await Promise.all(nodes.map((node) => node.ready));
    return nodes;
  }

  async stop(): Promise<void> {
    await stopAll(this.#launching);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Also of those that are still starting. One that has failed to start has nothing to stop. */
export async function stopAll(launching: readonly Promise<RunningNode>[]): Promise<void> {
  const settled = await Promise.allSettled(launching);
  const launched = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  await Promise.all(launched.map((node) => node.stop()));
}
