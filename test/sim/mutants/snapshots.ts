/** Mistakes in snapshots: what they hold, when they count, and what they let go. */
import type { Mutant } from "./mutant.ts";

const CUT = "actors/tree/snapshot/cut.ts";
const INSTALL = "actors/log/snapshots/install.ts";
const PURGE = "actors/log/snapshots/purge.ts";
const STORE = "actors/log/snapshots/store.ts";

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
    name: "snapshot-without-configuration",
    mistake: "a snapshot does not tell which configuration the ensemble goes by",
    edits: [
      {
        file: CUT,
        find: "if (tree.configuration !== undefined) cut.writer.configuration(tree.configuration);",
        replace: "",
      },
    ],
  },
  {
    name: "snapshot-sees-later-writes",
    mistake: "a znode that changes while a snapshot is cut goes into it as it is afterwards",
    edits: [
      {
        file: "actors/tree/apply/znode-operations.ts",
        find: `  saveZnode(transaction.tree, znode);
  znodes.setData(`,
        replace: "  znodes.setData(",
      },
    ],
  },
  {
    name: "snapshot-sees-later-deletes",
    mistake:
      "a znode whose child is deleted while a snapshot is cut goes into it as it is afterwards",
    edits: [
      {
        file: "actors/tree/apply/znode-operations.ts",
        find: "  saveZnode(transaction.tree, znode);\n  saveZnode(transaction.tree, parent);\n",
        replace: "  saveZnode(transaction.tree, znode);\n",
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
        find: "beginCut(turn);",
        replace: "state.cutWanted = beginCut;",
      },
      {
        file: "actors/tree/apply/apply.ts",
        find: "const zxid = zxidAfter(firstZxid, index);",
        replace: `const zxid = zxidAfter(firstZxid, index);
          if (index > 0 && tree.cutWanted !== undefined) {
            tree.cutWanted(turn);
            tree.cutWanted = undefined;
          }`,
      },
    ],
  },
  {
    name: "snapshot-forgets-ephemerals",
    mistake: "a session that is loaded from a snapshot does not know its ephemerals",
    edits: [
      {
        file: "actors/tree/snapshot/load.ts",
        find: "if (session === undefined) unowned.push(znode);\n  else (session.ephemerals ??= new Set()).add(znode);",
        replace: "if (session === undefined) unowned.push(znode);",
      },
    ],
  },
  {
    name: "snapshot-not-synced",
    mistake: "a snapshot gets its name before its bytes are durable",
    edits: [
      {
        file: STORE,
        find: `{ kind: "sync", file },`,
        replace: `...(file === SNAPSHOT_NEW_FILE ? [] : [{ kind: "sync", file } as const]),`,
      },
    ],
  },
  {
    name: "purged-beyond-the-snapshot",
    mistake: "segments are removed whose records no snapshot holds",
    edits: [
      {
        file: PURGE,
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
        file: STORE,
        find: `{ kind: "sync", file },`,
        replace: `...(file === TRANSFER_FILE ? [] : [{ kind: "sync", file } as const]),`,
      },
    ],
  },
  {
    name: "chunks-in-any-order",
    mistake:
      "the chunks of a leader's snapshot are taken in the order in which they come, and not verified",
    edits: [
      {
        file: "actors/log-sync/snapshots/receive.ts",
        find: `if (transfer?.step !== "asking" || transfer.snapshot.zxid !== zxid) return;
  if (transfer.index !== index || transfer.position !== position) return;`,
        replace: "if (transfer === undefined) return;",
      },
      {
        file: STORE,
        find: "if (transfer?.zxid !== zxid || transfer.nextIndex !== index || transfer.bytes !== position) {",
        replace: "if (transfer === undefined) {",
      },
      {
        file: STORE,
        find: `const fault = chunkFault(bytes, chunk, state.settings.crc32);
  const isStored`,
        replace: `const fault = undefined as string | undefined;
  const isStored`,
      },
      {
        file: INSTALL,
        find: "let fault = verdict.fault ?? faultOfPlace(state, zxid);",
        replace: "let fault = faultOfPlace(state, zxid);",
      },
    ],
  },
  {
    name: "snapshot-over-a-longer-log",
    mistake:
      "a snapshot is transferred and installed although the log holds its zxid and goes further",
    plan: "hostile",
    edits: [
      {
        file: "actors/log-sync/snapshots/drop.ts",
        find: "return zxid <= committed || index.holds(zxid);",
        replace: "return zxid <= committed;",
      },
      {
        file: "actors/log/snapshots/install.ts",
        find: 'if (index.holds(zxid)) return "the log goes on from there";',
        replace: "",
      },
    ],
  },
  {
    name: "snapshot-begun-and-passed",
    mistake: "a snapshot that was begun is installed although appends have brought the log further",
    plan: "hostile",
    edits: [
      {
        file: "actors/log-sync/snapshots/receive.ts",
        find: `if (isPassed(state, snapshot)) {
    dropTransfer(turn, 0, "no longer behind");
    return;
  }`,
        replace: "",
      },
      {
        file: "actors/log-sync/snapshots/receive.ts",
        find: 'assert(!isPassed(state, snapshot), "I9: a log that continues a snapshot is not replaced by it");',
        replace: "",
      },
      {
        file: "actors/log-sync/snapshots/drop.ts",
        find: 'if (isPassed(state, transfer.snapshot)) dropTransfer(turn, 0, "no longer behind");',
        replace: `if (transfer.snapshot.zxid <= state.delivery.committed) {
    dropTransfer(turn, 0, "no longer behind");
  }`,
      },
      {
        file: "actors/log/snapshots/install.ts",
        find: 'if (index.holds(zxid)) return "the log goes on from there";',
        replace: "",
      },
    ],
  },
  {
    name: "refused-snapshot-not-asked-for-again",
    mistake:
      "a snapshot that is due at the start, and refused since nothing is replayed, is asked for when as much more is logged",
    edits: [
      {
        file: "actors/log/snapshots/schedule.ts",
        find: 'outbox.push({ kind: "startTimer", timer: "askAgain", afterMs: cutting.againMs });',
        replace: "",
      },
    ],
  },
  {
    name: "delivered-while-loading",
    mistake: "records go to lanes that have not yet loaded the snapshot before them",
    edits: [
      {
        file: "actors/log-sync/snapshots/load.ts",
        find: "state.delivery.lanesLoading.add(lane);",
        replace: "",
      },
    ],
  },
  {
    name: "submitters-not-loaded",
    mistake: "after a snapshot a node does not know which batches were taken before it",
    edits: [
      {
        file: "actors/log-sync/snapshots/load.ts",
        find: "state.delivery.submitters = SubmitterTable.of(message.submitters);",
        replace: "",
      },
    ],
  },
  {
    name: "results-not-overtaken",
    mistake: "a lane goes on waiting for results that a snapshot has overtaken",
    edits: [
      {
        file: "actors/tree/snapshot/load.ts",
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
        file: "actors/log/recovery/recover.ts",
        find: `if (facts.isNew) return { reason: "new", epoch: EPOCH_NONE };`,
        replace: "if (facts.isNew) return undefined;",
      },
    ],
  },
  {
    name: "vote-regained-too-early",
    mistake:
      "a node that lost records votes again before it holds all that it may have acknowledged",
    edits: [
      {
        file: "actors/log-sync/repair.ts",
        find: "if (role.matched < tail || state.log.durable < tail) return;",
        replace: "",
      },
    ],
  },
];
