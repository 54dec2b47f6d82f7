/** Preloaded by nodes of a test: plants a bug in the tree, which cannot apply the creation of `/poison`. */
import { plant } from "../sim/mutants/hooks.ts";

plant({
  name: "poison",
  mistake: "a create of /poison fails, after it has changed the tree",
  edits: [
    {
      file: "actors/tree/apply/znode-operations.ts",
      find: "  insertNode(nodes, parent, node);\n  putData(nodes, node, operation.data);",
      replace: `  insertNode(nodes, parent, node);
        if (path === "/poison") throw new Error("this bug is planted");
        putData(nodes, node, operation.data);`,
    },
  ],
});
