/**
 * A network namespace for each node, with two links to this host: one towards NATS, which can be taken down, and one for
 * clients, which stays. So a node can be cut off by the kernel while its clients still reach it.
 */
import { execFileSync } from "node:child_process";

export type NodeNetwork = {
  /** Runs a command inside: put these words before it. */
  readonly prefix: readonly string[];
  /** This host as the node sees it. */
  readonly hostAddress: string;
  /** The node as its clients see it. */
  readonly nodeAddress: string;
  readonly setPeerLink: (state: "up" | "down") => void;
  readonly remove: () => void;
};

function ip(...args: readonly string[]): void {
  execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
}

/** What stops this process from making namespaces; undefined if nothing does. */
export function namespacesProblem(): string | undefined {
  const name = `zooid-probe-${process.pid}`;
  try {
    ip("netns", "add", name);
    try {
      ip("-n", name, "link", "add", "zooidprobe0", "type", "veth", "peer", "name", "zooidprobe1");
    } finally {
      ip("netns", "del", name);
    }
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).trim().split("\n").at(-1);
  }
}

/** `slot`: a number from 0 to 1999 that no other run on this machine has now; names and addresses follow from it. */
export function createNodeNetwork(slot: number, node: number): NodeNetwork {
  const name = `zooid-soak-${slot}-${node}`;
  const links = [
    { name: `zs${slot}p${node}`, base: node * 8 },
    { name: `zs${slot}c${node}`, base: node * 8 + 4 },
  ];
  const address = (base: number): string => `10.${200 + (slot >> 8)}.${slot & 255}.${base}`;
  const remove = (): void => {
    for (const link of links) quietly(() => ip("link", "del", link.name));
    quietly(() => ip("netns", "del", name));
  };
  // Whoever had the slot before is gone; it may not have had the time to tidy up.
  remove();
  try {
    ip("netns", "add", name);
    ip("-n", name, "link", "set", "lo", "up");
    for (const link of links) {
      ip("link", "add", link.name, "type", "veth", "peer", "name", `${link.name}n`, "netns", name);
      ip("addr", "add", `${address(link.base + 1)}/30`, "dev", link.name);
      ip("-n", name, "addr", "add", `${address(link.base + 2)}/30`, "dev", `${link.name}n`);
      ip("link", "set", link.name, "up");
      ip("-n", name, "link", "set", `${link.name}n`, "up");
    }
  } catch (error) {
    remove();
    throw error;
  }
  const [peers, clients] = links;
  return {
    prefix: ["ip", "netns", "exec", name],
    hostAddress: address((peers?.base ?? 0) + 1),
    nodeAddress: address((clients?.base ?? 0) + 2),
    setPeerLink: (state) => ip("link", "set", peers?.name ?? "", state),
    remove,
  };
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It was not there.
  }
}
