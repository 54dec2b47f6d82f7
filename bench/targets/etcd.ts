/** Debian's etcd as three members on loopback, with its defaults: every write is fsynced on a quorum before it is acknowledged. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { EtcdChannel } from "../load/etcd/channel.ts";
import { putRequest, statusLeads } from "../load/etcd/messages.ts";
import type { Address } from "../load/plan.ts";
import { untilReady } from "./ready.ts";
import { freePorts, stopProcesses, type Target, versionText, watchProcesses } from "./target.ts";

const MEMBERS: readonly number[] = [1, 2, 3];
const POLL_MS = 200;
/** Large enough that no run ends with etcd's alarm of no space. */
const QUOTA_BYTES: number = 8 * 1024 ** 3;

export async function startEtcd(folder: string, signal: AbortSignal): Promise<Target> {
  const version = etcdVersion();
  const dataFolder = await mkdtemp(join(folder, "zooid-bench-etcd-"));
  const firstPort = await freePorts(MEMBERS.length * 2);
  const children = MEMBERS.map((id) => spawnEtcd(id, firstPort, dataFolder));
  const servers = children.map((child, index) => ({ label: `member ${index + 1}`, child }));
  const processes = servers.flatMap(({ label, child: { pid } }) => {
    return pid === undefined ? [] : [{ label, pid }];
  });
  const stop = async (): Promise<void> => {
    await stopProcesses(children, () => processes);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const addresses = MEMBERS.map((id) => etcdAddress(id, firstPort));
    await untilReady({
      name: "etcd",
      one: "an etcd member",
      children,
      pollMs: POLL_MS,
      isReady: async () => (await Promise.all(addresses.map(takesWrites))).every(Boolean),
      signal,
    });
    return {
      name: "etcd",
      protocol: "etcd",
      version,
      durability: "on the disks of a quorum (fsync) before each acknowledgement",
      addresses,
      processes,
      problems: watchProcesses(servers),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Throws a `BenchError` if etcd is not installed. */
export function etcdVersion(): string | undefined {
  const text = versionText("etcd", "--version", "etcd-server");
  return text.match(/etcd Version: (\S+)/)?.[1];
}

function etcdAddress(id: number, firstPort: number): Address {
  return { host: "127.0.0.1", port: firstPort + id - 1 };
}

/** The ports of the clients come first, then those of the peers. */
export function spawnEtcd(id: number, firstPort: number, dataFolder: string): ChildProcess {
  const peer = (member: number): string => {
    return `http://127.0.0.1:${firstPort + MEMBERS.length + member - 1}`;
  };
  const client = `http://127.0.0.1:${firstPort + id - 1}`;
  const flags = {
    name: `member${id}`,
    "data-dir": join(dataFolder, `member${id}`),
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer(id),
    "initial-advertise-peer-urls": peer(id),
    "initial-cluster": MEMBERS.map((member) => `member${member}=${peer(member)}`).join(","),
    "initial-cluster-token": `zooid-bench-${firstPort}`,
    "quota-backend-bytes": QUOTA_BYTES,
    "log-level": "error",
  };
  const list = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return spawn("etcd", list, { stdio: ["ignore", "ignore", "pipe"] });
}

async function takesWrites(address: Address): Promise<boolean> {
  const channel = new EtcdChannel(address);
  try {
    await channel.open();
    await channel.ask("KV/Put", putRequest("/zooid-bench-ready", new Uint8Array(1)));
    return true;
  } catch {
    return false;
  } finally {
    channel.close();
  }
}

/** Whether a member leads; undefined if it does not answer, or knows of no leader. */
export async function leads(address: Address): Promise<boolean | undefined> {
  const channel = new EtcdChannel(address);
  try {
    await channel.open();
    return statusLeads(await channel.ask("Maintenance/Status", Buffer.alloc(0)));
  } catch {
    return undefined;
  } finally {
    channel.close();
  }
}
