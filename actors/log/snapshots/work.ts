/** The pieces of work on snapshots. Each reads or writes one chunk or removes one file, so that appends never wait for more than that. */
import { unreachable } from "../../../protocol/assert.ts";
import type { Procedure } from "../format/procedure.ts";
import type { LogState, SnapshotWork } from "../state.ts";
import { giveChunk } from "./give.ts";
import { purgeOne } from "./purge.ts";
import { dropTransfer, storeChunk } from "./store.ts";

export function nextSnapshotWork(state: LogState, work: SnapshotWork, nowMs: number): Procedure {
  switch (work.kind) {
    case "storeChunk":
      return storeChunk(state, work);
    case "askChunk":
      return giveChunk(state, work, nowMs);
    case "dropTransfer":
      return dropTransfer(state);
    case "purge":
      return purgeOne(state, nowMs);
    default:
      return unreachable(work);
  }
}
