/** What a disk may do to a node while it is down: forget everything, lose a file, or change a byte. */
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
  const changed = new Uint8Array([(bytes[position] ?? 0) ^ (1 << Math.floor(random() * 8))]);
  disk.perform({ kind: "write", file, position, chunks: [changed] });
  disk.perform({ kind: "sync", file });
  return `${file} changed at ${position}`;
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
