/** Values at paths, found for what is below them. */
import test from "ava";
import fc from "fast-check";
import {
  addBranch,
  type Branch,
  createBranch,
  removeBranch,
  visitAbove,
  visitAlong,
} from "../../../actors/tree/store/path-branches.ts";
import { parentOf } from "../../../protocol/paths.ts";

const path = fc
  .array(fc.constantFrom("a", "b", "ab"), { maxLength: 5 })
  .map((names) => `/${names.join("/")}`);

function branchesOf(branch: Branch<string>): number {
  let count = 1;
  for (const each of branch.below.values()) count += branchesOf(each);
  return count;
}

test("what is found above a path is what stands at its parent, its parent's parent and so on", (t) => {
  const step = fc.record({ path, value: fc.nat(3), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), path, (steps, below) => {
      const root = createBranch<string>();
      const model = new Map<string, string>();
      for (const { path: at, value, isAdded } of steps) {
        const key = `${value} ${at}`;
        if (isAdded) {
          addBranch(root, at, key);
          model.set(key, at);
        } else {
          removeBranch(root, at, key);
          model.delete(key);
        }
      }
      const found: string[] = [];
      visitAbove(root, below, (value) => found.push(value));
      const above = new Set<string>();
      for (let at = below; at !== "/"; at = parentOf(at)) above.add(parentOf(at));
      const expected = [...model].filter(([, at]) => above.has(at)).map(([key]) => key);
      t.deepEqual(found.sort(), expected.sort());
      const along: string[] = [];
      visitAlong(root, below, (value) => along.push(value));
      const there = [...model].filter(([, at]) => at === below).map(([key]) => key);
      t.deepEqual(along.sort(), [...expected, ...there].sort());
      const count = branchesOf(root);
      t.true(count <= 1 + 2 * new Set(model.values()).size, `${count} branches`);
      for (const [key, at] of model) removeBranch(root, at, key);
      t.is(root.below.size, 0);
      t.is(root.values.size, 0);
    }),
  );
});
