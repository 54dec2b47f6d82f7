/** Mistakes in snapshots: what they hold, when they count, and what they let go. */
import type { Edit, Mutant } from "./mutant.ts";

const CUT = "actors/tree/snapshot-cut.ts";
const INSTALL = "actors/log/install.ts";
const SNAPSHOTS = "actors/log/snapshots.ts";

/** No mistake, but what makes one show in a small tree: chunks and parts of a few entries. */
const SMALL_CHUNKS: Edit = {
  file: "protocol/limits.ts",
  find: "SNAPSHOT_CHUNK_BYTES_SOFT_MAX: number = 1024 * 1024;",
  replace: "SNAPSHOT_CHUNK_BYTES_SOFT_MAX: number = 256;",
};
const SMALL_PARTS: Edit = {
  file: "protocol/limits.ts",
  find: "SNAPSHOT_PART_BYTES_MAX: number = 512 * 1024;",
  replace: "SNAPSHOT_PART_BYTES_MAX: number = 512;",
};

export const SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: "snapshot-without-submitters",
    mistake: "the table of batches applied is not part of a snapshot",
    edits: [
      { file: CUT, find: "submitters: submitters.size,", replace: "submitters: 0," },
      {
        file: CUT,
        find: "for (const submitter of submitters.values()) cut.writer.submitter(submitter);",
        replace: "",
      },
    ],
  },
  {
    name: "snapshot-sees-later-writes",
    mistake: "a znode that changes while a snapshot is cut goes into it as it is afterwards",
    edits: [
      SMALL_CHUNKS,
      {
        file: "actors/tree/znode-operations.ts",
        find: `  saveNode(transaction.tree, node);
  putData(`,
        replace: "  putData(",
      },
    ],
  },
  {
    name: "snapshot-within-a-batch",
    mistake:
      "a snapshot is cut between two operations of a batch and named after the record before",
    edits: [
      {
        file: "actors/tree/tree.ts",
        find: "beginCut(state, effects);",
        replace: "state.cutWanted = () => beginCut(state, effects2(state));",
      },
      {
        file: "actors/tree/tree.ts",
        find: "function figures(",
        replace: `function effects2(state) { return (state.cutEffects = []); }
function figures(`,
      },
      {
        file: "actors/tree/apply.ts",
        find: "transaction.zxid = zxidAfter(firstZxid, index);",
        replace: `transaction.zxid = zxidAfter(firstZxid, index);
          if (index > 0 && tree.cutWanted !== undefined) {
            tree.cutWanted();
            tree.cutWanted = undefined;
            effects.push(...tree.cutEffects);
          }`,
      },
    ],
  },
  {
    name: "snapshot-forgets-ephemerals",
    mistake: "a session that is loaded from a snapshot does not know its ephemerals",
    edits: [
      {
        file: "actors/tree/snapshot-load.ts",
        find: "if (session === undefined) loading.unowned.push(node);\n  else (session.ephemerals ??= new Set()).add(path);",
        replace: "if (session === undefined) loading.unowned.push(node);",
      },
    ],
  },
  {
    name: "snapshot-not-synced",
    mistake: "a snapshot gets its name before its bytes are durable",
    edits: [
      {
        file: SNAPSHOTS,
        find: `position: cut.bytes, chunks: [bytes] },
    { kind: "sync", file: SNAPSHOT_NEW_FILE },`,
        replace: "position: cut.bytes, chunks: [bytes] },",
      },
    ],
  },
  {
    name: "purged-beyond-the-snapshot",
    mistake: "segments are removed whose records no snapshot holds",
    edits: [
      {
        file: SNAPSHOTS,
        find: "index.lastZxidOf(second.firstRecord - 1) > oldest.zxid;",
        replace: "false;",
      },
    ],
  },
  {
    name: "install-not-synced",
    mistake: "a peer's snapshot takes the place of the log before its bytes are durable",
    edits: [
      {
        file: INSTALL,
        find: `{ kind: "write", file: PARTS_FILE, position, chunks: [bytes] },
    { kind: "sync", file: PARTS_FILE },`,
        replace: `{ kind: "write", file: PARTS_FILE, position, chunks: [bytes] },`,
      },
    ],
  },
  {
    name: "parts-in-any-order",
    mistake:
      "the parts of a peer's snapshot are taken in the order in which they come, and not verified",
    edits: [
      SMALL_PARTS,
      {
        file: "actors/log-sync/transfer.ts",
        find: `if (
    transfer?.step !== "asking" ||
    transfer.snapshot.zxid !== zxid ||
    transfer.position !== position
  ) {`,
        replace: "if (transfer === undefined) {",
      },
      {
        file: INSTALL,
        find: "if (parts?.zxid !== zxid || parts.bytes !== position) {",
        replace: "if (parts === undefined) {",
      },
      {
        file: INSTALL,
        find: "const fault = yield* faultOfParts(state, snapshot);",
        replace: "const fault = undefined;",
      },
    ],
  },
  {
    name: "delivered-while-loading",
    mistake: "records go to lanes that have not yet loaded the snapshot before them",
    edits: [
      {
        file: "actors/log-sync/load.ts",
        find: "state.lanesLoading.add(lane);",
        replace: "",
      },
    ],
  },
  {
    name: "submitters-not-loaded",
    mistake: "after a snapshot a node does not know which batches were taken before it",
    edits: [
      {
        file: "actors/log-sync/load.ts",
        find: "state.submitters = SubmitterTable.of(message.submitters);",
        replace: "",
      },
    ],
  },
  {
    name: "results-not-overtaken",
    mistake: "a lane goes on waiting for results that a snapshot has overtaken",
    edits: [
      {
        file: "actors/tree/snapshot-load.ts",
        find: "if (own !== undefined) {",
        replace: "if (false) {",
      },
    ],
  },
  {
    name: "vote-after-a-wipe",
    mistake: "a node whose disk was replaced votes at once",
    edits: [
      {
        file: "actors/log/recover.ts",
        find: `if (of.isNew) return { reason: "new", epoch: EPOCH_NONE };`,
        replace: "if (of.isNew) return undefined;",
      },
    ],
  },
  {
    name: "vote-regained-too-early",
    mistake:
      "a node that lost records votes again before it holds all that it may have acknowledged",
    edits: [
      {
        file: "actors/log-sync/vote.ts",
        find: "if (role.matched < tail || state.durable < tail) return;",
        replace: "",
      },
    ],
  },
];
