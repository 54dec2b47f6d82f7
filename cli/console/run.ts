/** Runs a command of the console: reads its arguments, opens a session if it needs one, and makes an exit code of how it ended. */
import { createInterface } from "node:readline/promises";
import type { Client } from "../../client/connect.ts";
import { EXIT_MISUSED, EXIT_OK, messageOf } from "../command.ts";
import { ReaderGone } from "../printer.ts";
import { open, shownUrl, type Target, targetOf } from "./connection.ts";
import type { Context, Io } from "./context.ts";
import { escapedText } from "./escape.ts";
import {
  endingOf,
  EXIT_INTERRUPTED,
  EXIT_READER_GONE,
  EXIT_UNREACHABLE,
  MisusedError,
} from "./exit-codes.ts";
import type { Given } from "./given.ts";
import { Output } from "./output.ts";
import { parse } from "./parse.ts";
import type { Spec } from "./spec.ts";

/** How long a command and its session may take to end when the user has ended them. A session that does not end expires. */
const ENDING_MS = 2_000;

/** The session of a shell, which lasts longer than a command, and how the shell asks its user. */
export type Session = {
  readonly client: () => Promise<Client>;
  readonly target: Target;
  readonly confirm: Context["confirm"];
};

export async function runCommand(
  spec: Spec,
  args: readonly string[],
  io: Io,
  session?: Session,
): Promise<number> {
  const parsed = parse(spec, args);
  const inShell = session !== undefined;
  switch (parsed.kind) {
    case "help":
      await new Output(io, false).line(parsed.text);
      return EXIT_OK;
    case "wrong":
      complain(io, spec, { message: parsed.message, hint: helpHint(spec, inShell), inShell });
      return EXIT_MISUSED;
    case "run":
      return runParsed(spec, parsed.given, io, session);
  }
}

async function runParsed(
  spec: Spec,
  given: Given,
  io: Io,
  session: Session | undefined,
): Promise<number> {
  const output = new Output(io, given.has("json"));
  const own = new OwnSession();
  let target: Target | undefined;
  try {
    target = session?.target ?? (spec.connects ? targetOf(given, io.env) : undefined);
    const client = session?.client ?? (() => own.open(target, io.signal));
    const { run } = await spec.load();
    const context: Context = {
      ...{ io, output, target, client, inShell: session !== undefined, signal: io.signal },
      confirm: session === undefined ? confirmOf(io) : session.confirm,
    };
    return await whileWanted(() => run(given, context), io.signal, spec.endingMs ?? ENDING_MS);
  } catch (error) {
    return codeOf(error, { spec, io, url: target?.url, inShell: session !== undefined });
  } finally {
    await own.close();
  }
}

/** When the user ends the command, it has a moment to end by itself. */
async function whileWanted(
  run: () => Promise<number>,
  signal: AbortSignal,
  endingMs: number,
): Promise<number> {
  signal.throwIfAborted();
  const interrupted = Promise.withResolvers<never>();
  const abort = (): void => interrupted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const running = run();
  running.catch(() => undefined);
  try {
    return await Promise.race([running, interrupted.promise]);
  } catch (error) {
    if (signal.aborted)
      await within(
        running.catch(() => undefined),
        endingMs,
      );
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A session of one command. */
class OwnSession {
  #opening: Promise<Client> | undefined;

  open(target: Target | undefined, signal: AbortSignal): Promise<Client> {
    if (target === undefined) throw new Error("this command has no session");
    this.#opening ??= open(target, signal);
    return this.#opening;
  }

  async close(): Promise<void> {
    const client = await this.#opening?.catch(() => undefined);
    if (client !== undefined) await within(client.close(), ENDING_MS);
  }
}

/** Waits, but not for long. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}

type Ended = {
  readonly spec: Spec;
  readonly io: Io;
  readonly url: string | undefined;
  readonly inShell: boolean;
};

function codeOf(error: unknown, { spec, io, url, inShell }: Ended): number {
  if (io.signal.aborted) return EXIT_INTERRUPTED;
  if (error instanceof ReaderGone) return EXIT_READER_GONE;
  const { code, hint } = endingOf(error);
  const help = error instanceof MisusedError ? helpHint(spec, inShell) : hint;
  const where = code === EXIT_UNREACHABLE && url !== undefined ? ` (server ${shownUrl(url)})` : "";
  complain(io, spec, { message: `${messageOf(error)}${where}`, hint: help, inShell });
  return code;
}

function helpHint({ name }: Spec, inShell: boolean): string {
  return inShell ? `help ${name} lists the flags` : `zooid ${name} --help lists the flags`;
}

type Complaint = {
  readonly message: string;
  readonly hint: string | undefined;
  readonly inShell: boolean;
};

function complain(io: Io, { name }: Spec, { message, hint, inShell }: Complaint): void {
  const who = inShell ? name : `zooid ${name}`;
  const lines = [`${who}: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])];
  io.stderr.write(`${escapedText(lines.join("\n"))}\n`);
}

/** Undefined where nobody is there to answer. */
function confirmOf(io: Io): Context["confirm"] {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true) return undefined;
  return (question) => ask(io, question);
}

/** Asks on standard error, so that results stay apart. Anything but yes is no. */
async function ask({ stdin, stderr, signal }: Io, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr });
  // On a terminal that readline holds, Ctrl-C comes as a key.
  const ended = new AbortController();
  lines.once("SIGINT", () => ended.abort());
  try {
    const answer = await lines.question(escapedText(`${question} [y/N] `), {
      signal: AbortSignal.any([signal, ended.signal]),
    });
    return /^y(?:es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
