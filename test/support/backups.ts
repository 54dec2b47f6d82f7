/** Backups made by plain calls of what a replica has cut and applied, to be read, damaged and restored. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "../../cli/backup/file/manifest.ts";
import type { Output } from "../../cli/backup/file/output.ts";
import { BackupWriter } from "../../cli/backup/file/writer.ts";
import { rebuild, type Rebuilt } from "../../cli/backup/rebuild.ts";
import { recordHeader } from "../../protocol/record.ts";
import { chunkHeader } from "../../protocol/snapshot.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type BackupContent = {
  readonly chunks: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
};

/** Keeps in memory what is written. */
export class MemoryOutput implements Output {
  readonly #pieces: Uint8Array[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes.slice());
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }
}

/** A backup of a snapshot and the records after it. `change`: of the manifest. */
export async function backupOf(
  { chunks, records }: BackupContent,
  change: Partial<Manifest> = {},
): Promise<Buffer> {
  const output = new MemoryOutput();
  const writer = new BackupWriter(output);
  const [first] = chunks;
  const last = records.at(-1);
  const snapshotZxid = first === undefined ? (0 as Zxid) : chunkHeader(first).zxid;
  await writer.begin({
    zooid: "test",
    origin: "zooid",
    madeAt: new Date(1_700_000_000_000),
    ensemble: "test",
    ensembleId: undefined,
    node: 1,
    snapshotZxid,
    zxid: last === undefined ? snapshotZxid : recordHeader(last).lastZxid,
    skipped: [],
    ...change,
  });
  for (const chunk of chunks) await writer.chunk(chunk);
  for (const record of records) await writer.record(record);
  await writer.end();
  return output.bytes;
}

/** Calls `use` with a folder that is removed afterwards. */
export async function withFolder<Result>(
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "zooid-backup-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function rebuiltFrom(bytes: Uint8Array, toZxid?: Zxid): Promise<Rebuilt> {
  return withFolder((folder) => {
    const file = join(folder, "backup");
    writeFileSync(file, bytes);
    return rebuild(file, { toZxid, onBytes: () => undefined });
  });
}
