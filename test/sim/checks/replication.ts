/** The checkers of what nodes hold, count and keep. */
import { Counted } from "./counted.ts";
import { Folders } from "./folders.ts";
import type { NodeLog } from "./invariants.ts";
import { Kept } from "./kept.ts";
import { SnapshotChecks } from "./snapshots.ts";
import type { Truth } from "./truth.ts";

export type ReplicationChecks = {
  readonly kept: Kept;
  readonly counted: Counted;
  readonly folders: Folders;
  readonly snapshots: SnapshotChecks;
};

export function replicationChecks(logs: readonly NodeLog[], truth: Truth): ReplicationChecks {
  return {
    kept: new Kept(logs, truth),
    counted: new Counted(logs),
    folders: new Folders(),
    snapshots: new SnapshotChecks(truth),
  };
}
