/**
 * `zooid/node-cron`: each tick of a task that several programs schedule runs in one of them.
 *
 *     setRunCoordinator(zooidRunCoordinator(client));
 *     schedule("0 3 * * *", backup, { name: "backup", distributed: true });
 */
import type { RunCoordinator } from "node-cron";
import { BadArgumentsError, type Client } from "../../client/connect.ts";
import { isElected, KEEP_MS, type TicksOptions } from "../ticks.ts";

/** Where the znodes of ticks are, and for how long. */
export type RunCoordinatorOptions = TicksOptions;

/** A key of node-cron: the task's name and the time of its tick. */
const KEY = /^(.*):(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/s;

/**
 * node-cron's run coordinator, for `setRunCoordinator` or a task's `runCoordinator`. A tick runs at most once: in the program that is first,
 * and nowhere if that program dies before it ends. When the ensemble cannot be asked, node-cron skips the tick. Tasks are told apart by
 * `name`, which must be the same in all programs.
 */
export function zooidRunCoordinator(
  client: Client,
  options: RunCoordinatorOptions = {},
): RunCoordinator {
  return {
    shouldRun: (key, ttlMs) => {
      const [, name, at] = KEY.exec(key) ?? [];
      if (name === undefined || at === undefined) {
        throw new BadArgumentsError(
          `"${key}" is no key of node-cron: this adapter needs version 4`,
        );
      }
      const keepMs = Math.max(ttlMs, options.keepMs ?? KEEP_MS);
      return isElected(client, { name, atMs: Date.parse(at) }, { ...options, keepMs });
    },
  };
}
