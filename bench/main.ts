/** `npm run bench`: the first argument says what to measure. Without one it is the load test. */
import { ceiling } from "./ceiling.ts";
import { FAILOVER_HELP, failover, parseFailoverOptions } from "./failover/failover.ts";
import { BenchError, UsageError } from "./failure.ts";
import { LoadError } from "./load/run.ts";
import { loadTest } from "./load-test.ts";
import { runMicro } from "./micro/run.ts";
import { LOAD_HELP, parseLoadOptions } from "./options.ts";
import { openScreen, type Screen } from "./screen.ts";
import { parseSnapshotsOptions, snapshots, SNAPSHOTS_HELP } from "./snapshots.ts";
import { parseTreeApplyOptions, TREE_APPLY_HELP, treeApply } from "./tree-apply.ts";

const screen = openScreen(process.stdout);
const interrupted = new AbortController();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) screen.print("stopping ...");
    interrupted.abort(new BenchError(`stopped by ${signal}`));
  });
}

try {
  await run(process.argv.slice(2), screen, interrupted.signal);
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (error instanceof UsageError) screen.print(`${error.message}\n(--help tells the options)`);
  else if (error instanceof BenchError || error instanceof LoadError) screen.print(error.message);
  else throw error;
}

async function run(args: readonly string[], to: Screen, signal: AbortSignal): Promise<void> {
  const [command, ...rest] = args;
  if (command === "tree-apply") {
    const options = parseTreeApplyOptions(rest);
    if (options.help) to.print(TREE_APPLY_HELP);
    else await treeApply(options, to, signal);
  } else if (command === "failover") {
    const options = parseFailoverOptions(rest);
    if (options.help) to.print(FAILOVER_HELP);
    else await failover(options, to, signal);
  } else if (command === "micro") {
    await runMicro(to);
  } else if (command === "ceiling") {
    const options = parseLoadOptions(rest);
    if (options.help) to.print(LOAD_HELP);
    else await ceiling(options, to, signal);
  } else if (command === "snapshots") {
    const options = parseSnapshotsOptions(rest);
    if (options.help) to.print(SNAPSHOTS_HELP);
    else await snapshots(options, to, signal);
  } else if (command !== undefined && !command.startsWith("-")) {
    throw new UsageError(
      `${command}: unknown; one of failover, tree-apply, snapshots, micro, ceiling, or options only`,
    );
  } else {
    const options = parseLoadOptions(args);
    if (options.help) to.print(LOAD_HELP);
    else await loadTest(options, to, signal);
  }
}
