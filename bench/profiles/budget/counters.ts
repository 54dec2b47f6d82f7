/** What Linux counts of processes and their threads. Reading it costs the processes nothing. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux reports process times in this unit on every architecture that Node runs on. */
const TICK_US = 10_000;

export type ThreadCounters = {
  readonly name: string;
  readonly cpuUs: number;
  /** How often the thread went to sleep and was woken: it waited for a socket, a disk, a lock or a message. */
  readonly wakeUps: number;
  /** How often another thread took its processor. */
  readonly preemptions: number;
};

export type ProcessCounters = {
  readonly cpuUs: number;
  readonly wakeUps: number;
  readonly preemptions: number;
  /** The system calls that read and write, of sockets and files. Others, such as epoll_wait and futex, are not among them. */
  readonly reads: number;
  readonly writes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly threads: ReadonlyMap<number, ThreadCounters>;
};

export function countersOf(pid: number): ProcessCounters {
  const threads = new Map<number, ThreadCounters>();
  for (const entry of readdirSync(`/proc/${pid}/task`)) {
    const counters = threadCounters(`/proc/${pid}/task/${entry}`);
    if (counters !== undefined) threads.set(Number(entry), counters);
  }
  const io = readOrEmpty(`/proc/${pid}/io`);
  const sum = (of: (thread: ThreadCounters) => number): number =>
    [...threads.values()].reduce((total, thread) => total + of(thread), 0);
  return {
    cpuUs: sum(({ cpuUs }) => cpuUs),
    wakeUps: sum(({ wakeUps }) => wakeUps),
    preemptions: sum(({ preemptions }) => preemptions),
    reads: fieldOf(io, "syscr"),
    writes: fieldOf(io, "syscw"),
    bytesRead: fieldOf(io, "rchar"),
    bytesWritten: fieldOf(io, "wchar"),
    threads,
  };
}

function threadCounters(folder: string): ThreadCounters | undefined {
  const status = readOrEmpty(`${folder}/status`);
  if (status === "") return undefined; // The thread has ended meanwhile.
  return {
    name: readOrEmpty(`${folder}/comm`).trim(),
    cpuUs: cpuUsOf(folder),
    wakeUps: fieldOf(status, "voluntary_ctxt_switches"),
    preemptions: fieldOf(status, "nonvoluntary_ctxt_switches"),
  };
}

/** The scheduler counts nanoseconds; without its statistics there are only ticks. */
function cpuUsOf(folder: string): number {
  const [nanoseconds] = readOrEmpty(`${folder}/schedstat`).split(" ");
  if (nanoseconds !== undefined && nanoseconds !== "") return Number(nanoseconds) / 1000;
  const stat = readOrEmpty(`${folder}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function fieldOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Subtracts what was counted before. Threads that have started since count from 0. */
export function since(before: ProcessCounters, now: ProcessCounters): ProcessCounters {
  const threads = new Map<number, ThreadCounters>();
  for (const [id, thread] of now.threads) {
    const start = before.threads.get(id);
    threads.set(id, {
      name: thread.name,
      cpuUs: thread.cpuUs - (start?.cpuUs ?? 0),
      wakeUps: thread.wakeUps - (start?.wakeUps ?? 0),
      preemptions: thread.preemptions - (start?.preemptions ?? 0),
    });
  }
  return {
    cpuUs: now.cpuUs - before.cpuUs,
    wakeUps: now.wakeUps - before.wakeUps,
    preemptions: now.preemptions - before.preemptions,
    reads: now.reads - before.reads,
    writes: now.writes - before.writes,
    bytesRead: now.bytesRead - before.bytesRead,
    bytesWritten: now.bytesWritten - before.bytesWritten,
    threads,
  };
}
