/** Reads what server processes cost from Linux' /proc. On other systems nothing is reported. */
import { readdirSync, readFileSync } from "node:fs";

export type ServerProcess = { readonly label: string; readonly pid: number };

export type ProcessSample = ServerProcess & {
  /** The user and system time of all threads since the process started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
};

/** Linux reports process times in this unit on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Reads the cost of each process. Processes that have ended are left out. */
export function sampleProcesses(processes: readonly ServerProcess[]): ProcessSample[] {
  const samples: ProcessSample[] = [];
  for (const each of processes) {
    const fields = statFields(each.pid);
    if (fields === undefined) continue;
    const ticks = Number(fields[11]) + Number(fields[12]);
    const residentBytes = residentBytesOf(each.pid);
    samples.push({ ...each, cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes });
  }
  return samples;
}

/** The processor time of all of them together. */
export function cpuSecondsOf(processes: readonly ServerProcess[]): number {
  return sampleProcesses(processes).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** Returns the process and all its descendants. Each descendant has the name that the system knows it by. */
export function processTree(root: ServerProcess): ServerProcess[] {
  const children = new Map<number, ServerProcess[]>();
  for (const entry of readProc()) {
    const fields = statFields(entry);
    if (fields === undefined) continue;
    const parent = Number(fields[1]);
    const siblings = children.get(parent) ?? [];
    siblings.push({ pid: entry, label: nameOf(entry) });
    children.set(parent, siblings);
  }
  const found: ServerProcess[] = [root];
  for (const each of found) found.push(...(children.get(each.pid) ?? []));
  return found;
}

function readProc(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Returns the fields of /proc/PID/stat from the third on. The second is a name in brackets, which may contain spaces. */
function statFields(pid: number): string[] | undefined {
  const text = readOrUndefined(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function residentBytesOf(pid: number): number {
  const match = readOrUndefined(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+) kB$/m);
  return Number(match?.[1] ?? 0) * 1024;
}

function nameOf(pid: number): string {
  return readOrUndefined(`/proc/${pid}/comm`)?.trim() ?? "?";
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
