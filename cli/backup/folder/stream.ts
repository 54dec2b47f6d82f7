/** Writes what was planned of a data folder to a backup. It holds no more than a few mebibytes at a time. */
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { Procedure } from "../../../actors/log/format/procedure.ts";
import { scanSegment } from "../../../actors/log/format/scan.ts";
import { verifySnapshot } from "../../../actors/log/format/snapshot-file.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import { drive } from "../../../server/offline/drive.ts";
import { FolderChanged, type ReadOnlyFolder } from "../../../server/offline/read-only-folder.ts";
import type { BackupWriter } from "../file/writer.ts";
import type { Plan } from "./plan.ts";

/** Throws `FolderChanged` if what was planned is not there any more. */
export async function streamPlan(
  plan: Plan,
  folder: ReadOnlyFolder,
  writer: BackupWriter,
  onProgress: () => void,
): Promise<void> {
  const waiting: { readonly kind: "chunk" | "record"; readonly bytes: Uint8Array }[] = [];
  const flush = async (): Promise<boolean> => {
    for (const { kind, bytes } of waiting.splice(0)) {
      await (kind === "chunk" ? writer.chunk(bytes) : writer.record(bytes));
    }
    onProgress();
    await setImmediate();
    return true;
  };
  await drive(
    readPlan(plan, (kind, bytes) => waiting.push({ kind, bytes })),
    folder,
    flush,
  );
  await flush();
}

function* readPlan(
  { snapshot, segments, base, zxid }: Plan,
  put: (kind: "chunk" | "record", bytes: Uint8Array) => void,
): Procedure {
  if (snapshot !== undefined) {
    const file = { name: snapshot.file, size: snapshot.size, zxid: snapshot.zxid };
    const verdict = yield* verifySnapshot(file, crc32, (bytes) => put("chunk", bytes));
    if (verdict.kind === "damaged") throw new FolderChanged(`${file.name} changed`);
  }
  let last = base;
  for (const { file, size } of segments) {
    yield* scanSegment({ file, size, lastZxid: last }, crc32, ({ lastZxid }, bytes) => {
      last = lastZxid;
      // The bytes are a view that is valid during this call only.
      const isWanted = lastZxid > (snapshot?.zxid ?? 0) && lastZxid <= zxid;
      if (isWanted) put("record", bytes.slice());
    });
    if (last >= zxid) return;
  }
  if (last < zxid && (snapshot?.zxid ?? 0) < zxid) {
    throw new FolderChanged(`the log ends at zxid ${formatZxid(last)} now`);
  }
}
