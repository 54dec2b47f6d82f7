/** A module that nodes of a test preload. It plants a bug in the tree: the creation of `/poison` cannot be applied. */
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
