/** Loaded before each test file, in its own thread: tells `npm test` which files are running, by a line when each begins and ends. */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { ANNOUNCEMENTS, announcement } from "./progress.ts";

// What the tests start keeps compiled sources in a folder of its own: V8 does not take those of this thread where a node has set flags, which
// would write them again as it ends, for seconds.
delete process.env["NODE_COMPILE_CACHE"];

const to = process.env[ANNOUNCEMENTS];
if (to !== undefined) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const file = relative(root, fileURLToPath(test.meta.file));
  appendFileSync(to, announcement("begins", file));
  process.once("exit", () => appendFileSync(to, announcement("ends", file)));
}
