/**
 * `npm test [-- FILE…]`: runs the tests, prints each failure as it comes and the progress, the failures again at the end, and as the last line the totals.
 * `--quick` leaves out what starts processes or simulates for long.
 */
import { prepareDebian } from "./setup/debian.ts";
import { ALL_FILES, runTests } from "./setup/run-tests.ts";
import { type Totals, totalsLine } from "./setup/tap.ts";

const SLOW_FOLDERS = ["sim", "fuzz", "integration", "conformance"];

function patterns(args: readonly string[]): readonly string[] {
  const files = args.filter((arg) => !arg.startsWith("--"));
  if (files.length > 0) return files;
  if (!args.includes("--quick")) return [];
  return [ALL_FILES, ...SLOW_FOLDERS.map((folder) => `!test/${folder}/**`)];
}

async function main(args: readonly string[]): Promise<Totals> {
  const problem = args.includes("--quick") ? undefined : prepareDebian();
  if (problem === undefined) return runTests({ files: patterns(args) });
  console.log(`✗ ${problem}`);
  return { passed: 0, failed: 1 };
}

const totals = await main(process.argv.slice(2));
console.log(totalsLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
