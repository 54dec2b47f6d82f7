/** A line for each thing that `npm run ops:check` has looked at. One that fails makes the exit code 1. */
export function check(is: boolean, what: string): void {
  process.stdout.write(`${is ? "ok  " : "FAIL"} ${what}\n`);
  if (!is) process.exitCode = 1;
}
