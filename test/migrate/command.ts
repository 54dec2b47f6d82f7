/** `zooid migrate` as a process, with a relay that clients connect to. */
import { readFileSync } from "node:fs";
import { Child } from "../support/child.ts";
import { COMMAND_LINE } from "../support/zooid-command.ts";

/** Longer than any pause of a busy machine: what is measured is printed. */
const PATIENT = ["--timeout-ms", "100000", "--pause-ms", "60000"];
/** A port that is free. */
const ANY_PORT = "127.0.0.1:0";

export type Event = Readonly<Record<string, unknown>>;

/** The objects among lines. */
export function eventsIn(text: string): readonly Event[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Event] : []));
}

export type MigrateOptions = {
  /** Where the relay listens. Default: at a free port. */
  readonly listen?: string;
  /** How long the copy may take. Default 60_000. */
  readonly waitMs?: number;
  /** Called with each line that the command prints. */
  readonly onLine?: (line: string) => void;
};

export class MigrateCommand {
  /** Where the relay listens: host and port. */
  readonly address: string;
  readonly #child: Child;

  private constructor(child: Child, address: string) {
    this.#child = child;
    this.address = address;
  }

  /** Resolves when its relay takes clients. */
  static async start(
    args: readonly string[],
    { listen = ANY_PORT, waitMs = 60_000, onLine }: MigrateOptions = {},
  ): Promise<MigrateCommand> {
    const all = [COMMAND_LINE, "migrate", ...args, ...PATIENT, "--json", "--listen", listen];
    const child = new Child({
      ...{ command: process.execPath, args: all, waitMsMax: waitMs },
      ...(onLine === undefined ? {} : { onLine }),
    });
    try {
      const [listening] = eventsIn(await child.line(/"listening"/));
      return new MigrateCommand(child, `127.0.0.1:${String(listening?.["port"])}`);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** All that it has printed. */
  get events(): readonly Event[] {
    return eventsIn(this.#child.output());
  }

  /** The most memory that it has taken so far. */
  get peakMib(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Resolves when both sides are equal. */
  async equal(): Promise<void> {
    await this.#child.line(/"equal"/);
  }

  /** Switches, and returns how long nobody was served, in milliseconds. */
  async switch(): Promise<number> {
    this.#child.write("switch\n");
    const [switched] = eventsIn(await this.#child.line(/"switched"|"givenUp"|^no switch/));
    if (switched?.["event"] !== "switched") throw new Error(`no switch\n${this.#child.output()}`);
    return Number(switched["pausedMs"]);
  }

  /** Ends it, and returns its exit code. */
  async end(): Promise<number | null> {
    this.#child.write("end\n");
    await this.#child.exited;
    return this.#child.process.exitCode;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
