/** The disks of a node's folders: what they are, how much space they have, and how long they take to keep a write. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { byLimits, type Finding, percentile, type Status, timesText } from "./finding.ts";
import { sizeText } from "../inspect/text.ts";

/** As a small record of the log: a block of most file systems. */
const WRITE_BYTES = 4096;
const WRITES_MAX = 200;
const WRITING_MS_MAX = 3_000;
/** What etcd asks of a disk. A leader's heartbeats do not wait for the disk, but every write does. */
const SYNC_LIMITS = { warnAt: 10, badAt: 100 };
const FREE_WARN_BYTES: number = 4 * 2 ** 30;
/** Some segments of the log, of 16 MiB each, and a snapshot of a small tree. Without a whole free segment writes are refused. */
const FREE_BAD_BYTES: number = 256 * 2 ** 20;

type Kind = { readonly name: string; readonly status: Status; readonly advice?: string };

const GONE = "what a client was told is kept is gone with the power; choose a folder on a disk";
const REMOTE =
  "an fsync is as true as the server that answers it, and as fast as the way to it; choose a disk of this machine";
/** By the number that statfs(2) has for it; what is not here is taken for a file system on a disk. */
const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [0x01021994, { name: "tmpfs", status: "bad", advice: GONE }],
  [0x858458f6, { name: "ramfs", status: "bad", advice: GONE }],
  [0x6969, { name: "NFS", status: "warn", advice: REMOTE }],
  [0xff534d42, { name: "CIFS", status: "warn", advice: REMOTE }],
  [0xfe534d42, { name: "SMB", status: "warn", advice: REMOTE }],
  [0x01021997, { name: "9p", status: "warn", advice: REMOTE }],
  [0x65735546, { name: "FUSE", status: "warn", advice: REMOTE }],
  [
    0x794c7630,
    {
      ...{ name: "overlayfs", status: "warn" },
      advice: "it is gone with the container; choose a volume",
    },
  ],
  [0xef53, { name: "ext", status: "ok" }],
  [0x58465342, { name: "XFS", status: "ok" }],
  [0x9123683e, { name: "Btrfs", status: "ok" }],
  [0x2fc12fc1, { name: "ZFS", status: "ok" }],
]);

/** `name` is the setting that names the folder. */
export function checkFolder(name: string, folder: string): readonly Finding[] {
  // A folder that is not there yet will be made where the nearest one is that is.
  let there = resolve(folder);
  while (!existsSync(there)) there = dirname(there);
  const { type, bavail, bsize } = statfsSync(there);
  return [
    kindFinding(name, folder, type),
    freeFinding(name, bavail * bsize),
    syncFinding(name, there),
  ];
}

function kindFinding(name: string, folder: string, type: number): Finding {
  const kind = KINDS.get(type) ?? { name: `file system 0x${type.toString(16)}`, status: "ok" };
  const { status, advice } = kind;
  const measured = `${folder} is on ${kind.name}`;
  return { check: `${name}.fileSystem`, status, measured, limit: "a disk of this machine", advice };
}

function freeFinding(name: string, freeBytes: number): Finding {
  const limits = { warnAt: -FREE_WARN_BYTES, badAt: -FREE_BAD_BYTES };
  const status = byLimits(-freeBytes, limits);
  const advice =
    status === "ok"
      ? undefined
      : "make space: without it writes are refused until there is some again";
  return {
    ...{ check: `${name}.free`, status, advice },
    measured: sizeText(freeBytes),
    limit: `${sizeText(FREE_WARN_BYTES)} or more, never less than ${sizeText(FREE_BAD_BYTES)}`,
  };
}

function syncFinding(name: string, folder: string): Finding {
  const check = `${name}.fsync`;
  const limit = `p99 below ${SYNC_LIMITS.warnAt} ms`;
  const timesMs = timeSyncs(folder);
  if (typeof timesMs === "string") {
    const advice = "run it as the user that the node runs as, and let that user write there";
    return { check, status: "bad", measured: timesMs, limit, advice };
  }
  const status = byLimits(percentile(timesMs, 99), SYNC_LIMITS);
  const advice =
    status === "ok"
      ? undefined
      : "each write waits for it: take a faster disk, one with a cache that survives power loss, or one that nothing else writes to (--data-log-dir)";
  return { check, status, measured: timesText(timesMs), limit, advice };
}

/** Returns the times of the syncs, or why it cannot write. Leaves nothing behind. */
function timeSyncs(folder: string): readonly number[] | string {
  const path = join(folder, `zooid-doctor.${process.pid}.tmp`);
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  try {
    // Gone by name at once: however this ends, the system takes the rest back.
    unlinkSync(path);
    // As a segment of the log is in place before it is written, so that a sync writes no metadata.
    writeSync(file, Buffer.alloc(WRITE_BYTES * WRITES_MAX));
    fsyncSync(file);
    const block = Buffer.alloc(WRITE_BYTES, 1);
    const timesMs: number[] = [];
    const untilMs = performance.now() + WRITING_MS_MAX;
    while (timesMs.length < WRITES_MAX && (timesMs.length === 0 || performance.now() < untilMs)) {
      const startedMs = performance.now();
      writeSync(file, block, 0, WRITE_BYTES, timesMs.length * WRITE_BYTES);
      fdatasyncSync(file);
      timesMs.push(performance.now() - startedMs);
    }
    return timesMs;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    closeSync(file);
  }
}
