/**
 * Hosts of a small data centre: network namespaces on one bridge, which lies in a namespace of its own. Nothing of it reaches the network of the
 * machine, so the addresses are the same in every run.
 */
import { execFileSync } from "node:child_process";
import { Child } from "../../support/child.ts";

/** `slot`: a number that no other run on this machine has now. */
export class DataCentre {
  readonly #name: string;
  readonly #hosts: Host[] = [];

  static create(slot: number): DataCentre {
    const centre = new DataCentre(`zooid-day-${slot}`);
    // Whoever had the slot before is gone; it may not have had the time to tidy up.
    centre.remove();
    ip("netns", "add", centre.#network);
    ip("-n", centre.#network, "link", "add", "bridge", "type", "bridge");
    ip("-n", centre.#network, "link", "set", "bridge", "up");
    return centre;
  }

  private constructor(name: string) {
    this.#name = name;
  }

  get #network(): string {
    return `${this.#name}-network`;
  }

  addHost(name: string): Host {
    const number = this.#hosts.length + 1;
    const host = new Host(`${this.#name}-${name}`, `10.99.0.${number}`);
    const port = `port${number}`;
    const network = this.#network;
    ip("netns", "add", host.namespace);
    this.#hosts.push(host);
    const end = ["type", "veth", "peer", "name", "eth0", "netns", host.namespace];
    ip("-n", network, "link", "add", port, ...end);
    ip("-n", network, "link", "set", port, "master", "bridge", "up");
    ip("-n", host.namespace, "addr", "add", `${host.address}/24`, "dev", "eth0");
    for (const link of ["lo", "eth0"]) ip("-n", host.namespace, "link", "set", link, "up");
    return host;
  }

  /** With every process that still runs in it. */
  remove(): void {
    for (const line of ip("netns", "list").split("\n")) {
      const [namespace = ""] = line.split(" ");
      if (!namespace.startsWith(`${this.#name}-`)) continue;
      killAll(namespace);
      ip("netns", "del", namespace);
    }
  }
}

export class Host {
  readonly namespace: string;
  readonly address: string;

  constructor(namespace: string, address: string) {
    this.namespace = namespace;
    this.address = address;
  }

  start(
    command: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ): Child {
    const args = ["netns", "exec", this.namespace, ...command];
    return new Child({ command: "ip", args, ...options, waitMsMax: 120_000 });
  }

  /** As if the power had failed: every process is gone at once. */
  crash(): void {
    killAll(this.namespace);
  }
}

function killAll(namespace: string): void {
  for (const pid of ip("netns", "pids", namespace).split("\n").filter(Boolean)) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
