/**
 * Hosts of a small data centre: network namespaces on one bridge, which lies in a namespace of its own. Nothing of it reaches the network of the
 * machine, so the addresses are the same in every run.
 */
import { execFileSync } from "node:child_process";
import { Child } from "../../support/child.ts";

const LOOK_EVERY_MS = 20;
const LOOKS_MAX = 500;

/** `slot`: a number that no other run on this machine has now. */
export class DataCentre {
  readonly #name: string;
  readonly #hosts: Host[] = [];

  static create(slot: number): DataCentre {
    const centre = new DataCentre(`zooid-day-${slot}`);
    // Whoever had the slot before is gone; it may not have had the time to tidy up.
    centre.remove();
    try {
      ip("netns", "add", centre.#network);
      ip("-n", centre.#network, "link", "add", "bridge", "type", "bridge");
      ip("-n", centre.#network, "link", "set", "bridge", "up");
      return centre;
    } catch (error) {
      centre.remove();
      throw error;
    }
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

/** Until there are none: a process may start another one just before its end, and is there for a moment after it was killed. */
function killAll(namespace: string): void {
  for (let look = 1; look <= LOOKS_MAX; look += 1) {
    const pids = ip("netns", "pids", namespace).split("\n").filter(Boolean);
    if (pids.length === 0) return;
    for (const pid of pids) killOne(Number(pid));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  throw new Error(`there are processes in ${namespace} that do not end`);
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // One that is not there any more has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
