/** Where the command line of zooid is, how it is run, and what is said to all nodes of tests. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder of the sources, with a slash at its end. */
export const CHECKOUT: string = fileURLToPath(new URL("../../", import.meta.url));
/** What Node runs as `zooid`. */
export const COMMAND_LINE: string = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));
/** `ZOOID_TEST_LANES=2 npm test`: the lanes of all nodes whose tests say nothing of them. Undefined: as for users, `auto`. */
export const LANES: string | undefined = process.env["ZOOID_TEST_LANES"];

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

const PRINTED_BYTES_MAX = 64 * 1024 * 1024;

/** `zooid` with these arguments, as a process of its own, from its start to its end. */
export function runZooid(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { maxBuffer: PRINTED_BYTES_MAX };
    const all = [COMMAND_LINE, ...args];
    const child = execFile(process.execPath, all, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
