/** Runs commands of the console in this process, with streams of their own, as `zooid` would with those of a process. */
import { PassThrough, Writable } from "node:stream";
import { runCommand } from "../../cli/console/run.ts";
import { specOf } from "../../cli/console/specs.ts";

/** On a machine that others share everything may take long. */
export const PATIENT: Readonly<Record<string, string>> = { ZOOID_TIMEOUT_MS: "100000" };

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type ConsoleOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds. Default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** Whether all three streams are a terminal's. Default false. */
  readonly isTerminal?: boolean;
  /** Ends the command, as Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** Called with all that was printed to standard error, when more is. */
  readonly onStderr?: (text: string) => void;
  /** Called with all that was printed to standard output, when more is. */
  readonly onStdout?: (text: string) => void;
};

/** Keeps what is written to it. */
export class Collected extends Writable {
  readonly isTTY: boolean;
  readonly #chunks: Buffer[] = [];
  readonly #seen: (text: string) => void;

  constructor(isTTY: boolean, seen: (text: string) => void = () => undefined) {
    super();
    this.isTTY = isTTY;
    this.#seen = seen;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    this.#seen(this.text());
    done();
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Like `zooid` with these arguments. */
export async function run(args: readonly string[], options: ConsoleOptions = {}): Promise<Ended> {
  const { stdout, ...ended } = await runBytes(args, options);
  return { ...ended, stdout: stdout.toString("utf8") };
}

/** A command whose streams are a terminal, at which somebody types. */
export function typing(
  [name = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Typing {
  const spec = specOf(name);
  if (spec === undefined) throw new Error(`no command ${name}`);
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const waiting = new Set<() => void>();
  let text = "";
  const screen = new Collected(true, () => {
    text = screen.text();
    for (const look of waiting) look();
  });
  let from = 0;
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(text.slice(from))) return;
        waiting.delete(look);
        from = text.length;
        resolve();
      };
      waiting.add(look);
      look();
    });
  const { signal } = new AbortController();
  const io = { stdin, stdout: screen, stderr: screen, env: { ...PATIENT, ...env }, signal };
  return {
    until,
    type: async (...keys) => {
      // Several keys at once would be taken for text that is pasted.
      for (const each of keys) {
        if (typeof each === "string") stdin.write(each);
        else await until(each);
      }
    },
    ended: runCommand(spec, args, io),
  };
}

export type Typing = {
  /** Waits for the screen to show it, behind what was waited for before. */
  readonly until: (pattern: RegExp) => Promise<void>;
  /** Keys, and what is to be seen before the next ones. */
  readonly type: (...keys: readonly (string | RegExp)[]) => Promise<void>;
  readonly ended: Promise<number>;
};

export async function runBytes(
  args: readonly string[],
  options: ConsoleOptions = {},
): Promise<Omit<Ended, "stdout"> & { readonly stdout: Buffer }> {
  const { env = {}, stdin = "", isTerminal = false, signal } = options;
  const [name = "", ...rest] = args;
  const spec = specOf(name);
  if (spec === undefined) throw new Error(`no command ${name}`);
  const input = Object.assign(new PassThrough(), { isTTY: isTerminal });
  input.end(stdin);
  const stdout = new Collected(isTerminal, options.onStdout);
  const stderr = new Collected(isTerminal, options.onStderr);
  const io = {
    ...{ stdin: input, stdout, stderr, env: { ...PATIENT, ...env } },
    signal: signal ?? new AbortController().signal,
  };
  const code = await runCommand(spec, rest, io);
  return { code, stdout: stdout.bytes(), stderr: stderr.text() };
}
