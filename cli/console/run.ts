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
import type { Run, Spec } from "./spec.ts";

/** How long a session may take to end when the user has ended the command. Without its end it expires by itself. */
const CLOSING_MS = 2_000;

/** Where commands find a session that lasts longer than they do. Default: each opens its own, and closes it. */
export type Session = { readonly client: () => Promise<Client>; readonly url: string };

export async function runCommand(
  spec: Spec,
  args: readonly string[],
  io: Io,
  session?: Session,
): Promise<number> {
  const parsed = parse(spec, args);
  switch (parsed.kind) {
    case "help":
      await new Output(io, false).line(parsed.text);
      return EXIT_OK;
    case "wrong":
      complain(io, spec, parsed.message, `zooid ${spec.name} --help lists the flags`);
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
    target = session === undefined && spec.connects ? targetOf(given, io.env, false) : undefined;
    const client = session?.client ?? (() => own.open(target, io.signal));
    const { run } = await spec.load();
    return await whileWanted(run, given, {
      ...{ io, output, client, inShell: session !== undefined, signal: io.signal },
      confirm: isSomebodyThere(io) ? (question) => ask(io, question) : undefined,
    });
  } catch (error) {
    return codeOf(error, { spec, io, url: session?.url ?? target?.url });
  } finally {
    await own.close();
  }
}

/** What is under way when the user ends the command is told by the signal; a command that does not listen is left. */
async function whileWanted(run: Run, given: Given, context: Context): Promise<number> {
  const { signal } = context;
  signal.throwIfAborted();
  const interrupted = Promise.withResolvers<never>();
  const abort = (): void => interrupted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const running = run(given, context);
  running.catch(() => undefined);
  try {
    return await Promise.race([running, interrupted.promise]);
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
    if (client === undefined) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSING_MS);
    await Promise.race([client.close(), late.promise]);
    clearTimeout(timer);
  }
}

function codeOf(
  error: unknown,
  { spec, io, url }: { readonly spec: Spec; readonly io: Io; readonly url: string | undefined },
): number {
  if (io.signal.aborted) return EXIT_INTERRUPTED;
  if (error instanceof ReaderGone) return EXIT_READER_GONE;
  const { code, hint } = endingOf(error);
  const help = error instanceof MisusedError ? `zooid ${spec.name} --help lists the flags` : hint;
  const where = code === EXIT_UNREACHABLE && url !== undefined ? ` (server ${shownUrl(url)})` : "";
  complain(io, spec, `${messageOf(error)}${where}`, help);
  return code;
}

function complain(io: Io, spec: Spec, message: string, hint: string | undefined): void {
  const lines = [`zooid ${spec.name}: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])];
  io.stderr.write(`${escapedText(lines.join("\n"))}\n`);
}

function isSomebodyThere({ stdin, stderr }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
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
