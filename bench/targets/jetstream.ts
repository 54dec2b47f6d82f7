/**
 * Debian's nats-server as a cluster of three with JetStream, and a key-value bucket with three replicas in files. JetStream
 * acknowledges a write when a quorum has written it, and fsyncs every two minutes. Since version 2.10 it can fsync before each
 * acknowledgement (`sync_interval: always`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StorageType } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { BenchError } from "../failure.ts";
import { BUCKET } from "../load/jetstream/client.ts";
import type { Address } from "../load/plan.ts";
import { untilReady } from "./ready.ts";
import { freePorts, stopProcesses, type Target, versionText, watchProcesses } from "./target.ts";

const SERVERS: readonly number[] = [1, 2, 3];
/** Debian installs it where the PATH of a user who is not root does not lead. */
const DEBIAN_PROGRAM = "/usr/sbin/nats-server";
const PROGRAM: string = existsSync(DEBIAN_PROGRAM) ? DEBIAN_PROGRAM : "nats-server";
const POLL_MS = 300;

export type JetStreamOptions = {
  readonly folder: string;
  /** Whether each write is fsynced before it is acknowledged. */
  readonly fsync: boolean;
};

export async function startJetStream(
  options: JetStreamOptions,
  signal: AbortSignal,
): Promise<Target> {
  const version = natsServerVersion();
  if (options.fsync && !canFsync(version)) {
    throw new BenchError(
      `jetstream-fsync: nats-server ${version} has no "sync_interval: always"; it needs 2.10 or later`,
    );
  }
  const dataFolder = await mkdtemp(join(options.folder, "zooid-bench-jetstream-"));
  const firstPort = await freePorts(SERVERS.length * 2);
  const children: ChildProcess[] = [];
  const processes = (): { label: string; pid: number }[] =>
    children.flatMap(({ pid }, index) => {
      return pid === undefined ? [] : [{ label: `nats-server ${index + 1}`, pid }];
    });
  const stop = async (): Promise<void> => {
    await stopProcesses(children, processes);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    for (const id of SERVERS) {
      const config = join(dataFolder, `server${id}.conf`);
      await writeFile(config, configOf(id, { ...options, folder: dataFolder, firstPort }));
      const stdio = ["ignore", "ignore", "pipe"] as const;
      children.push(spawn(PROGRAM, ["-c", config], { stdio: [...stdio] }));
    }
    const addresses = SERVERS.map((id) => ({ host: "127.0.0.1", port: firstPort + id - 1 }));
    const servers = children.map((child, index) => ({ label: `nats-server ${index + 1}`, child }));
    await untilReady({
      name: "JetStream",
      one: "a nats-server",
      children,
      pollMs: POLL_MS,
      // The bucket can be made once the servers have elected who leads JetStream.
      isReady: () => makeBucket(addresses).then(() => true, String),
      signal,
    });
    return {
      name: options.fsync ? "JetStream fsync" : "JetStream",
      protocol: "jetstream",
      version,
      durability: durabilityOf(options.fsync, version),
      addresses,
      processes: processes(),
      problems: watchProcesses(servers),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function natsServerVersion(): string {
  const text = versionText(PROGRAM, "--version", "nats-server");
  return text.match(/v(\d+\.\d+\.\d+)/)?.[1] ?? "0.0.0";
}

export function canFsync(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

function durabilityOf(fsync: boolean, version: string): string {
  if (fsync) return "on the disks of a quorum (sync_interval: always) before each acknowledgement";
  const other = canFsync(version)
    ? "see jetstream-fsync"
    : `nats-server ${version} cannot fsync before it acknowledges`;
  return `NOT durable: written to files of a quorum, fsynced every 2 minutes (${other})`;
}

function configOf(
  id: number,
  { folder, firstPort, fsync }: JetStreamOptions & { readonly firstPort: number },
): string {
  const route = (server: number): string => {
    return `nats://127.0.0.1:${firstPort + SERVERS.length + server - 1}`;
  };
  return [
    `server_name: server${id}`,
    `listen: "127.0.0.1:${firstPort + id - 1}"`,
    "jetstream {",
    `  store_dir: "${join(folder, `server${id}`)}"`,
    ...(fsync ? ["  sync_interval: always"] : []),
    "}",
    "cluster {",
    "  name: zooid-bench",
    `  listen: "${route(id).slice("nats://".length)}"`,
    `  routes: [${SERVERS.filter((other) => other !== id)
      .map((other) => `"${route(other)}"`)
      .join(", ")}]`,
    "}",
    "",
  ].join("\n");
}

async function makeBucket(addresses: readonly Address[]): Promise<void> {
  const servers = addresses.map(({ host, port }) => `${host}:${port}`);
  const connection = await connect({ servers, timeout: 2000 });
  try {
    await new Kvm(connection).create(BUCKET, {
      replicas: SERVERS.length,
      history: 1,
      storage: StorageType.File,
      allow_direct: true,
    });
  } finally {
    await connection.close();
  }
}
