/** A migration as a process, with clients that write through it before, during and after the switch. */
import { readFileSync } from "node:fs";
import { Child } from "../support/child.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";
import { type Log, logOf } from "./writers.ts";

/** Longer than any pause of a busy machine: what is measured is printed. */
const PATIENT = ["--timeout-ms", "100000", "--pause-ms", "60000"];

export type Moved = {
  readonly logs: readonly Log[];
  readonly pausedMs: number;
  /** All that the command has printed. */
  readonly events: readonly Event[];
  readonly exitCode: number | null;
  /** The most memory that the command has taken. */
  readonly peakMib: number;
};

export type Event = Readonly<Record<string, unknown>>;

/** The objects among lines. */
export function eventsIn(text: string): readonly Event[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Event] : []));
}

export type MovedOptions = {
  /** How long the copy may take. Default 60_000. */
  readonly waitMs?: number;
  /** Called with each line that the command prints. */
  readonly onLine?: (line: string) => void;
};

/** `writers` are started with the address of the relay. */
export async function moved(
  args: readonly string[],
  writers: readonly ((address: string) => Child)[],
  { waitMs = 60_000, onLine }: MovedOptions = {},
): Promise<Moved> {
  await using ending = new AsyncDisposableStack();
  const all = ["migrate", ...args, ...PATIENT, "--json", "--listen", "127.0.0.1:0"];
  const command = [COMMAND_LINE, ...all];
  const migrate = new Child({
    ...{ command: process.execPath, args: command, waitMsMax: waitMs },
    ...(onLine === undefined ? {} : { onLine }),
  });
  ending.defer(() => migrate.stop());
  const [listening] = eventsIn(await migrate.line(/"listening"/));
  const address = `127.0.0.1:${String(listening?.["port"])}`;
  const children = writers.map((start) => start(address));
  for (const child of children) ending.defer(() => child.stop());
  await Promise.all(children.map((child) => child.line(/^written$/)));
  await migrate.line(/"equal"/);
  migrate.write("switch\n");
  const [switched] = eventsIn(await migrate.line(/"switched"|"givenUp"|^no switch/));
  if (switched?.["event"] !== "switched") throw new Error(`no switch\n${migrate.output()}`);
  // Everybody writes at the target, as somebody whose ephemeral is made again.
  await Promise.all(children.map((child) => child.line(/^session 2$/)));
  const logs = await Promise.all(children.map(logOf));
  const status = readFileSync(`/proc/${migrate.pid}/status`, "utf8");
  const peakKib = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
  migrate.write("end\n");
  await migrate.exited;
  return {
    ...{ logs, pausedMs: Number(switched?.["pausedMs"]) },
    events: eventsIn(migrate.output()),
    exitCode: migrate.process.exitCode,
    peakMib: Math.round(peakKib / 1024),
  };
}
