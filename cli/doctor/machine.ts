/** The machine that a node runs on: Node.js, memory, open files, swap, clock. */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeConfig } from "../../server/config/node-config.ts";
import { machine, treeBytesStop } from "../../server/memory-limits.ts";
import { connectionsLeft, connectionsMost, openFilesWarning } from "../../server/open-files.ts";
import { processReport } from "../../server/process-report.ts";
import { memoryProblem } from "../../server/start-memory.ts";
import { placementOf } from "../../server/threads/choice.ts";
import { packageText } from "../../server/version.ts";
import { nodeProblem } from "../node-version.ts";
import { byLimits, type Finding } from "./finding.ts";
import { sizeText } from "../inspect/text.ts";

const MEMORY_LIMITS = { warnAt: -(2 ** 30), badAt: -256 * 2 ** 20 };
/** How long the clocks are compared, and how far they may part in that time. A clock that is slewed parts by 0.5 ms in a second. */
const CLOCK_MS = 1_000;
const CLOCK_READINGS = 50;
const CLOCK_LIMITS = { warnAt: 5, badAt: 100 };
const BYTES_PER_KIB = 1024;

/** The machine as it is; a test has others. */
export type Host = {
  readonly nodeVersion: string;
  readonly memoryBytes: number;
  readonly totalBytes: number;
  /** The text of `/proc/meminfo`; undefined elsewhere than on Linux. */
  readonly meminfo: string | undefined;
  readonly open: ReturnType<typeof processReport>;
};

export function thisHost(): Host {
  return {
    nodeVersion: process.versions.node,
    memoryBytes: machine().memoryBytes,
    totalBytes: totalmem(),
    meminfo: readMeminfo(),
    open: processReport(),
  };
}

function readMeminfo(): string | undefined {
  try {
    return readFileSync("/proc/meminfo", "utf8");
  } catch {
    return undefined;
  }
}

export function checkMachine(host: Host, config: NodeConfig | undefined): readonly Finding[] {
  return [
    nodeFinding(host),
    memoryFinding(host),
    ...(config === undefined ? [] : treeFindings(host, config)),
    ...swapFindings(host),
    ...openFilesFindings(host, config?.maxConnections ?? 0),
  ];
}

function nodeFinding({ nodeVersion }: Host): Finding {
  const problem = nodeProblem(nodeVersion);
  const limit = /"node":\s*"([^"]+)"/.exec(packageText())?.[1] ?? "";
  const status = problem === undefined ? "ok" : "bad";
  return { check: "node", status, measured: nodeVersion, limit, advice: problem };
}

function memoryFinding({ memoryBytes, totalBytes }: Host): Finding {
  const status = byLimits(-memoryBytes, MEMORY_LIMITS);
  const isLimited = memoryBytes < totalBytes;
  const whose = isLimited ? `, by its control group, of ${sizeText(totalBytes)}` : "";
  return {
    ...{ check: "memory", status, measured: `${sizeText(memoryBytes)}${whose}` },
    limit: `${sizeText(-MEMORY_LIMITS.warnAt)} or more`,
    advice: status === "ok" ? undefined : "a quarter of it is for the tree: give the node more",
  };
}

/** Whether what is in the folder fits into the memory. */
function treeFindings({ memoryBytes }: Host, config: NodeConfig): readonly Finding[] {
  const { lanes } = placementOf(config, { cores: availableParallelism(), ownsProcess: true });
  const problem = memoryProblem(config.dataDir, treeBytesStop(memoryBytes, lanes), lanes);
  if (problem === undefined) return [];
  const limit = "the newest snapshot fits into the memory";
  return [
    { check: "memory.tree", status: "bad", measured: problem, limit, advice: "give it more" },
  ];
}

function swapFindings({ meminfo }: Host): readonly Finding[] {
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo ?? "")?.[1] ?? 0);
  if (meminfo === undefined) return [];
  const total = kibibytes("SwapTotal") * BYTES_PER_KIB;
  const used = total - kibibytes("SwapFree") * BYTES_PER_KIB;
  return [
    {
      check: "swap",
      status: total === 0 ? "ok" : "warn",
      measured: total === 0 ? "off" : `${sizeText(total)}, ${sizeText(used)} of it used`,
      limit: "off",
      advice:
        total === 0
          ? undefined
          : "a node whose memory is swapped out answers too late and loses its leadership: swapoff, or MemorySwapMax=0 in the unit",
    },
  ];
}

function openFilesFindings({ open }: Host, configured: number): readonly Finding[] {
  if (open === undefined) return [];
  const most = Math.min(connectionsMost(configured, open), connectionsLeft(open, 0));
  const warning = openFilesWarning(configured, open, most);
  const wanted = configured > 0 ? `${configured} connections` : "500 connections";
  return [
    {
      check: "openFiles",
      status: warning === undefined ? "ok" : "warn",
      measured: `${open.openFilesMax} files, so ${most} connections at most`,
      limit: `${wanted} or more`,
      advice: warning?.hint,
    },
  ];
}

/** Whether the clock that people read goes as fast as the one that only counts: it does not while it is set. */
export async function checkClock(
  wallMs: () => number = Date.now,
  steadyMs: () => number = () => performance.now(),
): Promise<Finding> {
  const before = clockOffset(wallMs, steadyMs);
  await wait(CLOCK_MS);
  const partedMs = Math.abs(clockOffset(wallMs, steadyMs) - before);
  const status = byLimits(partedMs, CLOCK_LIMITS);
  return {
    ...{ check: "clock", status },
    measured: `parted by ${partedMs.toFixed(1)} ms in ${CLOCK_MS / 1000} s from the monotonic clock`,
    limit: `less than ${CLOCK_LIMITS.warnAt} ms`,
    advice:
      status === "ok"
        ? undefined
        : "it is being set: let chrony or systemd-timesyncd slew it. the times of znodes and of certificates go by it; elections and sessions do not",
  };
}

/** By the pair of readings that nothing came between: on a busy machine the process may wait its turn in the middle of one. */
function clockOffset(wallMs: () => number, steadyMs: () => number): number {
  let best = { offset: Number.NaN, width: Number.POSITIVE_INFINITY };
  for (let reading = 0; reading < CLOCK_READINGS; reading += 1) {
    const before = steadyMs();
    const wall = wallMs();
    const after = steadyMs();
    if (after - before < best.width) best = { offset: wall - before, width: after - before };
  }
  return best.offset;
}
