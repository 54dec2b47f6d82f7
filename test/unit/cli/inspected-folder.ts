/** Data folders as a log actor writes them, to be damaged and looked at. */
import { readdirSync, readFileSync } from "node:fs";
import { drive } from "../../../server/offline/drive.ts";
import type { Look } from "../../../cli/inspect/findings.ts";
import { lookAtFolder } from "../../../cli/inspect/look.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { ChunkWriter } from "../../../protocol/snapshot-entries.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { checksum, logWith, storeChunk, zxid } from "../log/harness.ts";

export type Files = Record<string, Uint8Array>;

export const SEGMENT = "log.0000000100000000";
export const SECOND = "log.0000000100000020";
export const THIRD = "log.0000000100000040";
const RECORD_BYTES = 104;
export const WRITE_BYTES: number = 24 + RECORD_BYTES;

export function fixture(name: string): Uint8Array {
  const path = new URL(`../../fixtures/${name}`, import.meta.url);
  return Uint8Array.from(readFileSync(path));
}

export function dataFolder1(): Files {
  const names = readdirSync(new URL("../../fixtures/data-folder-1/", import.meta.url));
  return Object.fromEntries(names.map((name) => [name, fixture(`data-folder-1/${name}`)]));
}

/** Three segments, 80 records, each written on its own; snapshots at counters 20 and 50. */
function wholeFolder(): Files {
  const disk = new MemoryDisk();
  const log = logWith(79, disk);
  for (const counter of [20, 50]) {
    const writer = new ChunkWriter(1024);
    writer.head({ timeMs: 1000, sessions: 1, submitters: 0, znodes: 0 });
    const chunks = [writer.take({ zxid: zxid(1, counter), index: 0, last: false }, checksum)];
    const [id, attachedAt] = [zxid(1, 1) as number as SessionId, zxid(1, 1)];
    writer.session({ id, timeoutMs: 4000, attachedAt, password: new Uint8Array(16) });
    chunks.push(writer.take({ zxid: zxid(1, counter), index: 1, last: true }, checksum));
    for (const index of chunks.keys()) {
      log.ask(storeChunk("tree", { zxid: zxid(1, counter), chunks, index }));
    }
  }
  return disk.snapshot();
}

export const WHOLE: Files = wholeFolder();

export function changed(change: (files: Files) => void, from: Files = WHOLE): Files {
  const files = structuredClone(from);
  change(files);
  return files;
}

export function bytesOf(files: Files, name: string): Uint8Array {
  const bytes = files[name];
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
}

export function flip(files: Files, name: string, offset: number): void {
  const bytes = bytesOf(files, name);
  const byte = bytes[offset];
  if (byte === undefined) throw new Error(`no byte ${offset} in ${name}`);
  bytes[offset] = byte ^ 0x10;
}

export function rename(files: Files, from: string, to: string): void {
  files[to] = bytesOf(files, from);
  delete files[from];
}

export const onward: () => Promise<boolean> = (): Promise<boolean> => Promise.resolve(true);

export async function lookAt(files: Files): Promise<Look> {
  const look = await drive(lookAtFolder(checksum), new MemoryDisk({ files }), onward);
  if (look === undefined) throw new Error("the look ended early");
  return look;
}
