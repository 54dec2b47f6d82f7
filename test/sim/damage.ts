/** What a disk may do to a node while it is down: forget everything, lose a file, change a byte, or have written a block elsewhere. */
import type { MemoryDisk } from "../../runtime/disks/memory.ts";

/** What was done; undefined: nothing, since there was nothing to damage. Everything done is durable. */
export function damageDisk(disk: MemoryDisk, random: () => number): string | undefined {
  const files = disk.snapshot();
  const names = Object.keys(files);
  if (random() < 0.3) {
    for (const file of names) disk.perform({ kind: "remove", file });
    disk.perform({ kind: "syncFolder" });
    return "wiped";
  }
  const file = pick(names.filter(isDamageable(names)), random);
  const bytes = file === undefined ? undefined : files[file];
  if (file === undefined || bytes === undefined || bytes.length === 0) return undefined;
  if (file.startsWith("log.") && random() < 0.3) {
    disk.perform({ kind: "remove", file });
    disk.perform({ kind: "syncFolder" });
    return `${file} removed`;
  }
  const position = Math.floor(random() * bytes.length);
  const block = random() < 0.3 ? misplaced(files, bytes, position, random) : undefined;
  const changed = new Uint8Array([(bytes[position] ?? 0) ^ (1 << Math.floor(random() * 8))]);
  disk.perform({ kind: "write", file, position, chunks: [block ?? changed] });
  disk.perform({ kind: "sync", file });
  return `${file} ${block === undefined ? "changed" : "overwritten by another block"} at ${position}`;
}

const BLOCK_BYTES = 512;

/** A block of some file that differs from what stands at the position. */
function misplaced(
  files: Readonly<Record<string, Uint8Array>>,
  into: Uint8Array,
  position: number,
  random: () => number,
): Uint8Array | undefined {
  const from = pick(Object.values(files), random);
  if (from === undefined) return undefined;
  const at = Math.floor(random() * from.length);
  const block = from.slice(at, at + Math.min(BLOCK_BYTES, into.length - position));
  const there = into.subarray(position, position + block.length);
  return Buffer.compare(block, there) === 0 ? undefined : block;
}

/**
 * The last segment is left alone: damage to its last write is not to be told from a write cut short. So is the file that says
 * whose folder it is, without which a node does not start.
 */
function isDamageable(names: readonly string[]): (name: string) => boolean {
  const last = names
    .filter((name) => name.startsWith("log."))
    .toSorted()
    .at(-1);
  return (name) => {
    if (name === last) return false;
    return name.startsWith("log.") || name.startsWith("snapshot.") || name === "promise";
  };
}

function pick<Value>(values: readonly Value[], random: () => number): Value | undefined {
  return values[Math.floor(random() * values.length)];
}
