/**
 * What the operating system knows of this process and of its data folder, and V8 of a lane's heap, told to the admin actor every few seconds. The operating
 * system is asked on Linux only.
 */
import { readdirSync, readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { arch, hostname, release, totalmem, type, userInfo } from "node:os";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import type { LaneReport, ProcessReport, ServerReport } from "../actors/admin/messages.ts";
import type { NodeConfig } from "./config/node-config.ts";
import type { ClientPorts } from "./threads/client-doors.ts";

const REPORT_EVERY_MS = 5_000;

/** Undefined where there is no /proc. */
export function processReport(): ProcessReport | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    if (soft === undefined) return undefined;
    const openFilesMax = soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft);
    return {
      kind: "processReport",
      openFiles: readdirSync("/proc/self/fd").length,
      openFilesMax,
    };
  } catch {
    return undefined;
  }
}

/** For `envi`, in ZooKeeper's order and with its names where it has one. Anybody may ask it, so it tells nothing of folders. */
export function processEnvironment(): readonly (readonly [string, string])[] {
  return [
    ["host.name", hostname()],
    ["node.version", process.version],
    ["os.name", type()],
    ["os.arch", arch()],
    ["os.version", release()],
    ["user.name", userName()],
    ["os.memory.total", `${Math.floor(totalmem() / 2 ** 20)}MB`],
  ];
}

/** A container may run under a number that no account has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}

/** At once and then every few seconds, until the returned function is called. */
export function reportProcess(tell: (report: ProcessReport) => void): () => void {
  const report = (): boolean => {
    const current = processReport();
    if (current !== undefined) tell(current);
    return current !== undefined;
  };
  if (!report()) return () => undefined;
  const timer = setInterval(report, REPORT_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

type DataFolders = Pick<NodeConfig, "dataDir" | "dataLogDir">;

/** What `conf` and `dirs` tell of a node that runs. A file that goes away meanwhile does not count. */
async function serverReport(
  { dataDir, dataLogDir }: DataFolders,
  ports: ClientPorts | undefined,
): Promise<ServerReport> {
  const { clientPort, secureClientPort } = ports ?? {};
  const folderBytes = await bytesIn(dataDir);
  const logFolderBytes = dataLogDir === undefined ? folderBytes : await bytesIn(dataLogDir);
  return { kind: "serverReport", clientPort, secureClientPort, folderBytes, logFolderBytes };
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found?.isFile() === true ? found.size : 0;
    }),
  );
  return sizes.reduce((total, size) => total + size, 0);
}

/** At once and then every few seconds, until the returned function is called. */
export function reportServer(
  folders: DataFolders,
  ports: ClientPorts | undefined,
  tell: (report: ServerReport) => void,
): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const report = async (): Promise<void> => {
    const current = await serverReport(folders, ports);
    if (stopped) return;
    tell(current);
    timer = setTimeout(() => void report(), REPORT_EVERY_MS);
    timer.unref();
  };
  void report();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Reports the heap of the calling thread, at once and then every few seconds, until the returned function is called. */
export function reportLane(lane: number, tell: (report: LaneReport) => void): () => void {
  const report = (): void => {
    tell({ kind: "laneReport", lane, heapUsedBytes: getHeapStatistics().used_heap_size });
  };
  report();
  const timer = setInterval(report, REPORT_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
