/** A migration with clients that write through it before, during and after the switch. */
import type { Child } from "../support/child.ts";
import { type Event, MigrateCommand, type MigrateOptions } from "./command.ts";
import { type Log, logOf } from "./writers.ts";

export type Moved = {
  readonly logs: readonly Log[];
  readonly pausedMs: number;
  /** All that the command has printed. */
  readonly events: readonly Event[];
  readonly exitCode: number | null;
  /** The most memory that the command has taken. */
  readonly peakMib: number;
};

/** `writers` are started with the address of the relay. */
export async function moved(
  args: readonly string[],
  writers: readonly ((address: string) => Child)[],
  options: MigrateOptions = {},
): Promise<Moved> {
  await using ending = new AsyncDisposableStack();
  const migrate = await MigrateCommand.start(args, options);
  ending.defer(() => migrate.stop());
  const children = writers.map((start) => start(migrate.address));
  for (const child of children) ending.defer(() => child.stop());
  await Promise.all(children.map((child) => child.line(/^written$/)));
  await migrate.equal();
  const pausedMs = await migrate.switch();
  // Everybody writes at the target, as somebody whose ephemeral is made again.
  await Promise.all(children.map((child) => child.line(/^session 2$/)));
  const logs = await Promise.all(children.map(logOf));
  const { peakMib } = migrate;
  const exitCode = await migrate.end();
  return { logs, pausedMs, events: migrate.events, exitCode, peakMib };
}
