/** `npm run bench`: runs profiles, and reports. */
import { BenchError, UsageError } from "./failure.ts";
import { helpText } from "./help.ts";
import { LoadError } from "./load/driver-process.ts";
import { parseOptions } from "./options.ts";
import { PROFILES } from "./profiles/catalogue.ts";
import { runProfiles } from "./run.ts";
import { openScreen, type Screen } from "./screen.ts";

const screen = openScreen(process.stdout, process.stderr);
const interrupted = new AbortController();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) screen.status("stopping ...");
    interrupted.abort(new BenchError(`stopped by ${signal}`));
  });
}

try {
  await run(process.argv.slice(2), screen, interrupted.signal);
} catch (thrown) {
  // What waited for a timer is rejected with an error of its own, whatever it was interrupted for.
  const error: unknown = interrupted.signal.aborted ? interrupted.signal.reason : thrown;
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (error instanceof UsageError) screen.print(`${error.message}\n(--help tells the options)`);
  else if (error instanceof BenchError || error instanceof LoadError) screen.print(error.message);
  else throw error;
}

async function run(args: readonly string[], to: Screen, signal: AbortSignal): Promise<void> {
  const options = parseOptions(args, Object.keys(PROFILES));
  if (options.help) to.print(helpText(PROFILES));
  else await runProfiles(options, { args, screen: to, signal });
}
