/** Fills disks, and frees them again. */
import type { SimNode } from "../sim-node.ts";

/** So many bytes more fit on it, and no more. */
export function fillDisk({ disk }: SimNode, extraBytes: number): void {
  const sizes = Object.values(disk.snapshot()).map((bytes) => bytes.length);
  disk.capacityBytes = sizes.reduce((sum, size) => sum + size, 0) + extraBytes;
}

export function freeDisk({ disk, faults }: SimNode): void {
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  faults.overwritesFail = false;
}
