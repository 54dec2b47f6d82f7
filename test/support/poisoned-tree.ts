/** A module that nodes of a test preload. It plants a bug in the tree: the creation of `/poison` cannot be applied. */
import { plant } from "../sim/mutants/hooks.ts";

plant({
  name: "poison",
  mistake: "a create of /poison fails, after it has changed the tree",
  edits: [
    {
      file: "actors/tree/apply/znode-operations.ts",
      find: "  znodes.setParental(parent, zxid, (creates + 1) | 0);",
      replace: `  if (path === "/poison") throw new Error("this bug is planted");
        znodes.setParental(parent, zxid, (creates + 1) | 0);`,
    },
  ],
});
