/** `npm run soak`: an ensemble of real processes under load and faults. */
import { UsageError } from "../../bench/failure.ts";
import { openScreen } from "../../bench/screen.ts";
import { parseSoakOptions, SOAK_HELP } from "./options.ts";
import { soak } from "./run.ts";

const EXIT_VIOLATED = 1;
const EXIT_MISUSED = 2;
const EXIT_INTERRUPTED = 130;

const screen = openScreen(process.stdout);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) screen.print(`${signal}: stopping all that runs ...`);
    interrupted.abort();
  });
}

// Whatever fails where nobody waits for it, servers, namespaces and mounts go before this process does.
let failure: unknown;
process.on("uncaughtException", (error) => {
  failure ??= error;
  screen.print(error.stack ?? error.message);
  interrupted.abort();
});

process.exit(await run(process.argv.slice(2)));

async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseSoakOptions(args);
    if (options.help) {
      screen.print(SOAK_HELP);
      return 0;
    }
    const violations = await soak(options, screen, interrupted.signal);
    if (failure !== undefined) return EXIT_VIOLATED;
    if (interrupted.signal.aborted) return EXIT_INTERRUPTED;
    return violations === 0 ? 0 : EXIT_VIOLATED;
  } catch (error) {
    if (error instanceof UsageError) {
      screen.print(`${error.message}\n(--help tells the options)`);
      return EXIT_MISUSED;
    }
    if (interrupted.signal.aborted && failure === undefined) return EXIT_INTERRUPTED;
    screen.print(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT_VIOLATED;
  }
}
