/** Mistakes about containers, znodes with a TTL, and reads of several znodes. */
import type { Mutant } from "./mutant.ts";

const LIFETIME = "protocol/lifetime.ts";
const REAP = "actors/tree/apply/reap.ts";
const REAPER = "actors/reaper/reaper.ts";

export const LIFETIME_MUTANTS: readonly Mutant[] = [
  {
    name: "container-reaped-unused",
    mistake: "a container is deleted before it ever had a child",
    edits: [
      {
        file: LIFETIME,
        find: "return znode.creates > 0 || (unusedMs > 0 && elapsedMs > unusedMs);",
        replace: "return true;",
      },
    ],
  },
  {
    name: "ttl-from-ctime",
    mistake: "a TTL counts from when the znode was made, whenever its data was set",
    edits: [
      {
        file: "actors/tree/store/due.ts",
        find: "mtime: znodes.mtime(id) };",
        replace: "mtime: znodes.stat(id).ctime };",
      },
    ],
  },
  {
    name: "parent-with-ttl-reaped",
    mistake: "whether a znode that is to be deleted has children is asked of containers only",
    edits: [
      {
        file: LIFETIME,
        find: "if (znode.numChildren > 0) return false;",
        replace: "if (znode.numChildren > 0 && znode.lifetime === CONTAINER) return false;",
      },
    ],
  },
  {
    name: "reap-not-checked",
    mistake: "what the leader has proposed is deleted, whatever happened since",
    edits: [
      {
        file: REAP,
        find: "if (znode === undefined || !isDue(tree.znodes, znode, timeMs, unusedMs)) return;",
        replace: "if (znode === undefined) return;",
      },
      {
        file: REAP,
        find: "const { tree, timeMs } = transaction;",
        replace: "const { tree } = transaction;",
      },
      { file: REAP, find: "{ path, unusedMs }:", replace: "{ path }:" },
    ],
  },
  {
    name: "reap-by-the-record-before",
    mistake: "whether a lifetime is over is decided by the time of the record before",
    edits: [
      {
        file: REAP,
        find: "const { tree, timeMs } = transaction;",
        replace: "const { tree } = transaction; const timeMs = tree.lastTimeMs;",
      },
    ],
  },
  {
    name: "undone-delete-loses-lifetime",
    mistake: "a znode that a refused multi had deleted comes back without its lifetime",
    edits: [
      {
        file: "actors/tree/apply/transaction.ts",
        find: "    znodes.relink(znode, parent, path);",
        replace: "    znodes.relink(znode, parent, path); znodes.lifetimes.delete(znode);",
      },
    ],
  },
  {
    name: "lifetime-of-a-released-znode",
    mistake: "a number that is used again has the lifetime of the znode that had it before",
    edits: [
      {
        file: "actors/tree/store/znodes.ts",
        find: "if (this.lifetimes.size > 0) this.lifetimes.delete(id);",
        replace: "",
      },
    ],
  },
  {
    name: "snapshot-without-lifetimes",
    mistake: "a snapshot does not say which znodes have a lifetime",
    edits: [
      {
        file: "actors/tree/snapshot/entry.ts",
        find: "lifetime: znodes.lifetimes.get(id),",
        replace: "lifetime: undefined,",
      },
    ],
  },
  {
    name: "reaper-stops-at-an-empty-part",
    mistake: "the reaper does not look again when nothing was over",
    edits: [
      {
        file: REAPER,
        find: "  const pauseMs =",
        replace: "  if (paths.length === 0) return;\n  const pauseMs =",
      },
    ],
  },
  {
    name: "reaper-of-one-who-led",
    mistake: "a node that no longer leads goes on to look, and proposes what it finds",
    edits: [
      { file: REAPER, find: "  if (state.leads !== true) return;\n", replace: "" },
      {
        file: REAPER,
        find: '  effects.push({ kind: "stopTimer", timer: "look" });\n',
        replace: "",
      },
    ],
  },
  {
    name: "reap-walk-outlives-its-leader",
    mistake: "a tree keeps the place where a reaper ended that no longer leads",
    plan: "endings",
    edits: [
      {
        file: "actors/tree/tree.ts",
        find: "      state.reapWalk = undefined;\n      return;",
        replace: "      return;",
      },
    ],
  },
  {
    name: "followers-of-an-earlier-epoch-shown",
    mistake: "a node that leads again shows the followers that it heard when it led before",
    edits: [
      {
        file: "actors/admin/admin.ts",
        find: "  if (now.leader !== leader || now.epoch !== epoch) state.alive = [];\n",
        replace: "  if (leader === undefined && epoch < 0) state.alive = [];\n",
      },
    ],
  },
  {
    name: "multi-read-without-error",
    mistake: "a multiRead leaves members without a znode out of its results",
    edits: [
      {
        file: "actors/tree/wide-reads.ts",
        find: "    results.push(result);",
        replace: '    if (result.kind !== "error") results.push(result);',
      },
    ],
  },
  {
    name: "refusal-before-its-turn",
    mistake: "a member of a multi that cannot be done is passed over",
    edits: [
      {
        file: "actors/tree/apply/apply-znode.ts",
        find: "      return operation.code;",
        replace: "      return Code.ok;",
      },
    ],
  },
  {
    name: "lifetime-lost-in-a-batch",
    mistake: "a create of a container is logged as one of a plain znode",
    edits: [
      {
        file: "protocol/batch.ts",
        find: "if (lifetime === undefined) {",
        replace: "if (lifetime === undefined || lifetime === CONTAINER) {",
      },
    ],
  },
];
