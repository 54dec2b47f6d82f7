/** The checkers of what nodes hold, count and keep. */
import { Counted } from "./counted.ts";
import { Folders } from "./folders.ts";
import { Handovers } from "./handovers.ts";
import type { NodeLog } from "./invariants.ts";
import { OwnCounts } from "./own-counts.ts";
import { Kept } from "./kept.ts";
import { SnapshotChecks } from "./snapshots.ts";
import type { Truth } from "./truth.ts";

export type ReplicationChecks = {
  readonly kept: Kept;
  readonly counted: Counted;
  readonly ownCounts: OwnCounts;
  readonly folders: Folders;
  readonly handovers: Handovers;
  readonly snapshots: SnapshotChecks;
};

/** `nonceOf`: of a node's last process; undefined if that has not spoken yet. */
export function replicationChecks(
  logs: readonly NodeLog[],
  truth: Truth,
  nonceOf: (node: number) => number | undefined,
): ReplicationChecks {
  return {
    kept: new Kept(logs, truth),
    counted: new Counted(logs, nonceOf),
    ownCounts: new OwnCounts(),
    folders: new Folders(),
    handovers: new Handovers(logs),
    snapshots: new SnapshotChecks(truth),
  };
}
