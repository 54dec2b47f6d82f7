/** That commands which have time run behind others. In a process of its own: a test that lowered its own priority would slow those after it. */
import { execFile } from "node:child_process";
import { constants, getPriority } from "node:os";
import { promisify } from "node:util";
import test from "ava";

const MODULE = new URL("../../../server/offline/low-priority.ts", import.meta.url);
const PROGRAM = `
  import { readdirSync } from "node:fs";
  import { stat } from "node:fs/promises";
  import { getPriority } from "node:os";
  import { lowerPriority } from ${JSON.stringify(MODULE.href)};
  await stat("."); // Begins the threads that do the work of the file system.
  lowerPriority();
  lowerPriority();
  const all = process.platform === "linux" ? readdirSync("/proc/self/task").map(Number) : [process.pid];
  console.log(JSON.stringify(all.map((thread) => getPriority(thread))));
`;

test("every thread of a process that lowers its priority has a low one", async (t) => {
  const args = ["--input-type=module", "--eval", PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const priorities = JSON.parse(stdout) as number[];
  t.true(priorities.length > 0);
  // A process begins with the priority of the one that starts it, which may be lower still.
  const lowered = Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL);
  t.deepEqual(new Set(priorities), new Set([lowered]));
});
