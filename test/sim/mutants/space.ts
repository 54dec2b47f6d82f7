/** Mistakes about full disks and full memories: what is refused is not done, and it ends. */
import type { Mutant } from "./mutant.ts";

const TREE_SIZE = "actors/tree/store/size.ts";
const QUEUE = "actors/gateway/request-queue.ts";

export const SPACE_MUTANTS: readonly Mutant[] = [
  {
    name: "refused-and-done",
    mistake: "a write that is refused for want of space is handed on all the same",
    edits: [
      {
        file: QUEUE,
        find: "        this.#refuse(entry, admission);\n      } else if",
        replace:
          "        this.#refuse(entry, admission);\n        (this.stray ??= []).push(request.operation);\n      } else if",
      },
      // Its result goes to nobody.
      {
        file: "actors/gateway/lane.ts",
        find: "  if (writes.length > 0 || travelling.length > 0) {",
        replace: `  for (const operation of queue.stray?.splice(0) ?? []) {
    const { session, attachedAt } = served;
    const operations = [{ kind: "client", session, attachedAt, operation }];
    effects.push(
      tell(\`submitter/\${lane}\`, { kind: "write", from, client: -1, operations }),
    );
  }
  if (writes.length > 0 || travelling.length > 0) {`,
      },
    ],
  },
  {
    name: "disk-space-never-told",
    mistake: "a log whose disk was full does not say that there is space again",
    edits: [
      {
        file: "actors/log/disk-space.ts",
        find: '  report(state, { kind: "writable" });\n',
        replace: "",
      },
    ],
  },
  {
    name: "full-tree-untold",
    mistake: "a tree that comes to its limit tells nobody",
    edits: [
      {
        file: TREE_SIZE,
        find: '  effects.push(emit("memory", memory));\n',
        replace: "",
      },
    ],
  },
  {
    name: "memory-full-for-ever",
    mistake: "a node does not notice that its tree has memory to grow again",
    edits: [
      {
        file: "actors/log-sync/log-sync.ts",
        find: "state.space.treeFull = message.full;",
        replace: "state.space.treeFull ||= message.full;",
      },
    ],
  },
  {
    name: "read-before-a-write-that-is-judged",
    mistake:
      "a read goes to the tree together with the question whether the write before it grows the tree",
    edits: [{ file: QUEUE, find: "if (run.asks) return false;", replace: "" }],
  },
];
