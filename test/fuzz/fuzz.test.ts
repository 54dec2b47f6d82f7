/** Half a minute of `npm run fuzz`, in a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { TARGETS } from "./targets/all.ts";

const MAIN: string = fileURLToPath(new URL("main.ts", import.meta.url));
const MINUTE_MS = 60_000;
/** Every target gets at least this many inputs, even on a busy machine: fewer would prove nothing. */
const INPUTS_MIN = 100;

const run = promisify(execFile);

test("half a minute of fuzzing finds nothing, and every target has its share of it", async (t) => {
  t.timeout(10 * MINUTE_MS);
  const args = [MAIN, "--minutes", "0.25", "--at-least", String(INPUTS_MIN)];
  const { stdout, code } = await run(process.execPath, args, { maxBuffer: 2 ** 26 }).then(
    ({ stdout: said }) => ({ stdout: said, code: 0 }),
    (error: { readonly stdout: string; readonly code: unknown }) => error,
  );
  t.is(code, 0, stdout);
  for (const { name } of TARGETS) {
    const inputs = Number(new RegExp(`^${name}: (\\d+) inputs`, "m").exec(stdout)?.[1]);
    t.true(inputs >= INPUTS_MIN, `${name}: ${inputs} inputs\n${stdout}`);
  }
});
