/**
 * What programs that watch over ZooKeeper read out of a server. collectd and zktop are run as they are. Others are not Debian's: of them the rule
 * by which they take an answer of `mntr` apart is told here.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "../support/child.ts";

type Address = { readonly port: number };

/** What collectd's plugin `zookeeper` gives on, by the name under which it is kept: all figures of one round. */
export async function readByCollectd(server: Address): Promise<ReadonlyMap<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-collectd-"));
  const file = join(folder, "collectd.conf");
  await writeFile(file, collectdConfig(folder, server));
  // It writes to a pipe by blocks else, of which one is a minute.
  const args = ["--output=L", "/usr/sbin/collectd", "-f", "-C", file];
  const child = new Child({ command: "stdbuf", args });
  try {
    // The last figure of a round.
    await child.line(/^PUTVAL \S+\/count-quorum /);
    child.kill("SIGKILL");
    await child.exited;
    const figures = child.lines.flatMap((line) => {
      const [, name = "", value] = /^PUTVAL host\/zookeeper\/(\S+) .*:([\d.]+)$/.exec(line) ?? [];
      return name === "" ? [] : [[name, Number(value)] as const];
    });
    return new Map(figures);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await rm(folder, { recursive: true, force: true });
  }
}

function collectdConfig(folder: string, { port }: Address): string {
  return [
    'Hostname "host"',
    // One thread gives the figures on in the order in which they were read.
    "WriteThreads 1",
    "FQDNLookup false",
    `BaseDir "${folder}"`,
    `PIDFile "${join(folder, "pid")}"`,
    'PluginDir "/usr/lib/collectd"',
    'TypesDB "/usr/share/collectd/types.db"',
    "LoadPlugin csv",
    '<Plugin csv>\nDataDir "stdout"\n</Plugin>',
    "LoadPlugin zookeeper",
    `<Plugin zookeeper>\nHost "127.0.0.1"\nPort "${port}"\n</Plugin>`,
    "",
  ].join("\n");
}

/** zktop's own class that reads a server, asked for all that it has found there; its sessions one by one. */
const ZKTOP = `
import sys
port = sys.argv.pop()
import zktop
server = zktop.ZKServer("127.0.0.1:" + port, 0)
for name, value in vars(server).items():
    if name != "sessions": print(name, value)
for session in server.sessions:
    for name, value in vars(session).items(): print("session", name, value)
`;

export async function readByZktop(server: Address): Promise<readonly string[]> {
  const child = new Child({
    command: "/usr/bin/python3",
    args: ["-B", "-W", "ignore", "-c", ZKTOP, String(server.port)],
  });
  await child.exited;
  if (child.process.exitCode !== 0) throw new Error(child.output());
  return child.lines;
}

export type Field = { readonly name: string; readonly value: number | string };

/**
 * Telegraf's `inputs.zookeeper` (its file plugins/inputs/zookeeper/zookeeper.go): every line is `zk_`, a name of word characters, dots and
 * hyphens, space, and a value of the same characters; what is a whole number is one, the rest is text. One other line, and nothing is taken.
 */
export function readByTelegraf(mntr: string): readonly Field[] {
  return linesOf(mntr).map((line) => {
    const [, name, value] = /^zk_(\w[\w.-]*)\s+([\w.-]+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`unexpected: ${line}`);
    return { name, value: /^-?\d+$/.test(value) ? Number(value) : value };
  });
}

/**
 * zookeeper-exporter for Prometheus (its file main.go): name and value are what stands before and behind the first tab or space. The state becomes a
 * figure that is 1 at a leader, the version a label; all other values are printed as they are, so Prometheus must be able to read them.
 */
export function readByExporter(mntr: string): readonly Field[] {
  return linesOf(mntr).map((line) => {
    const [name = "", value = ""] = line.replaceAll("\t", " ").split(" ");
    if (name === "zk_server_state") return { name, value: value === "leader" ? 1 : 0 };
    if (name === "zk_version") return { name, value: 1 };
    const figure = value === "" ? Number.NaN : Number(value);
    if (Number.isNaN(figure)) throw new Error(`no figure: ${line}`);
    return { name, value: figure };
  });
}

/** What the receiver of the OpenTelemetry collector makes metrics of; those of `ofLeader` are a leader's. */
export const OPEN_TELEMETRY: Readonly<Record<"ofAll" | "ofLeader", readonly string[]>> = {
  ofAll: [
    ...["avg_latency", "max_latency", "min_latency", "packets_received", "packets_sent"],
    ...["num_alive_connections", "outstanding_requests", "znode_count", "watch_count"],
    ...["ephemerals_count", "approximate_data_size", "open_file_descriptor_count"],
    ...["max_file_descriptor_count", "fsync_threshold_exceed_count"],
  ],
  ofLeader: ["followers", "synced_followers", "pending_syncs"],
};

/**
 * The receiver `zookeeper` of the OpenTelemetry collector (its files metrics.go and scraper.go): a line is `zk_` and word characters, space, and a
 * value of word characters, dots and hyphens. It takes the names that it knows, where the value is a number.
 */
export function readByOpenTelemetry(mntr: string): readonly string[] {
  const known: readonly string[] = [...OPEN_TELEMETRY.ofAll, ...OPEN_TELEMETRY.ofLeader];
  return linesOf(mntr).flatMap((line) => {
    const [, name = "", value = ""] = /^zk_(\w+)\s+([\w.-]+)/.exec(line) ?? [];
    return known.includes(name) && Number.isFinite(Number(value)) ? [name] : [];
  });
}

function linesOf(answer: string): readonly string[] {
  return answer.split("\n").filter((line) => line !== "");
}
