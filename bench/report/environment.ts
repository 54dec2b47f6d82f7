/** What a result depends on beside the code: the machine, its disk, and the versions of what runs. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LatencyHistogram } from "../../cli/latency-histogram.ts";

/** The type that Linux gives a file system in memory, whose fsync costs nothing. */
const TMPFS_TYPE = 0x0102_1994;
const FSYNCS = 300;
const FSYNC_BYTES = 4096;

const HERE: string = fileURLToPath(new URL("../../", import.meta.url));

export type Environment = {
  readonly startedAt: string;
  readonly commit: string;
  readonly processors: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly disk: string;
  /** The time of a write of 4 KiB and its fdatasync, in milliseconds. */
  readonly fsyncMs: { readonly p50: number; readonly p99: number };
  /** How many processes ran or waited when the bench started, in the minute before. */
  readonly loadAverage: number;
  readonly targets: readonly TargetFacts[];
};

export type TargetFacts = {
  readonly name: string;
  readonly version: string | undefined;
  readonly durability: string;
  /** The processor time of all its processes without any load, as a percentage of one core. */
  readonly idlePercent: number;
};

/** `folder` is where the servers' data goes. */
export function environmentOf(folder: string, targets: readonly TargetFacts[]): Environment {
  return {
    startedAt: new Date().toISOString(),
    commit: commitOf(HERE),
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? "unknown",
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    disk: diskOf(folder),
    fsyncMs: fsyncMs(folder),
    loadAverage: loadavg()[0] ?? 0,
    targets,
  };
}

/** Returns the commit of a folder, with a + if files have changed since. */
export function commitOf(folder: string): string {
  const git = (...args: string[]): string => {
    const { stdout } = spawnSync("git", ["-C", folder, ...args], { encoding: "utf8" });
    return (stdout ?? "").trim();
  };
  const commit = git("rev-parse", "--short=10", "HEAD");
  if (commit === "") return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+`;
}

export function isInMemory(folder: string): boolean {
  return statfsSync(folder).type === TMPFS_TYPE;
}

/** Returns the file system of a folder, and whether its disk turns, where Linux tells. */
function diskOf(folder: string): string {
  if (isInMemory(folder)) return "in memory (tmpfs)";
  const device = statSync(folder).dev;
  const number = `${Math.floor(device / 256) & 0xfff}:${device & 0xff}`;
  const mount = (readOrEmpty("/proc/self/mountinfo").split("\n") ?? []).find((line) => {
    return line.split(" ")[2] === number;
  });
  const [type, source] = mount?.split(" - ")[1]?.split(" ") ?? [];
  const turns = rotationalOf(source);
  return [type ?? "unknown file system", source ?? "", turns].filter(Boolean).join(", ");
}

function rotationalOf(source: string | undefined): string {
  const device =
    source
      ?.split("/")
      .at(-1)
      ?.replace(/p?\d+$/, "") ?? "";
  for (const name of [source?.split("/").at(-1) ?? "", device]) {
    const text = readOrEmpty(`/sys/block/${name}/queue/rotational`).trim();
    if (text !== "") return text === "1" ? "rotating" : "solid state";
  }
  return "";
}

function fsyncMs(folder: string): { readonly p50: number; readonly p99: number } {
  const own = mkdtempSync(join(folder, "zooid-bench-fsync-"));
  const latencies = new LatencyHistogram();
  try {
    const file = openSync(join(own, "file"), "w");
    const bytes = Buffer.alloc(FSYNC_BYTES);
    for (let each = 0; each < FSYNCS; each += 1) {
      const startMs = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      latencies.record((performance.now() - startMs) * 1000);
    }
    closeSync(file);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return { p50: latencies.percentileUs(0.5) / 1000, p99: latencies.percentileUs(0.99) / 1000 };
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

export function environmentText(environment: Environment): string {
  const { processors, processor, memoryBytes, kernel, node, disk, fsyncMs: fsync } = environment;
  const gigabytes = (memoryBytes / 2 ** 30).toFixed(0);
  const lines = [
    `commit ${environment.commit}, ${environment.startedAt}`,
    `${processors} x ${processor}, ${gigabytes} GiB, Linux ${kernel}, Node ${node}`,
    `disk: ${disk}; write and fdatasync of 4 KiB: p50 ${fsync.p50.toFixed(2)} ms, p99 ${fsync.p99.toFixed(2)} ms`,
    `load average at the start: ${environment.loadAverage.toFixed(1)}`,
    ...environment.targets.map(({ name, version, durability, idlePercent }) => {
      return `${name} ${version ?? ""}: ${durability}; idle ${idlePercent.toFixed(1)} % of a core`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}
