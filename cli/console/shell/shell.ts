/** `zooid shell`: one command after the other with one session, from a terminal or from a pipe. */
import { createInterface, type Interface } from "node:readline";
import { zooidVersion } from "../../../server/version.ts";
import { EXIT_MISUSED, EXIT_OK, messageOf } from "../../command.ts";
import { candidatesOf } from "../completion/candidates.ts";
import { patienceMsOf } from "../completion/patience.ts";
import { identityOf, SHELL_SESSION_TIMEOUT_MS, type Target, targetAt } from "../connection.ts";
import type { Context, Io } from "../context.ts";
import { escapedText } from "../escape.ts";
import { endingOf, MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { helpOf } from "../parse.ts";
import { runCommand, type Session } from "../run.ts";
import { SPECS, specOf } from "../specs.ts";
import { historyFileOf, isSecret, keepLine, readHistory } from "./history.ts";
import { ShellSession } from "./session.ts";
import { quoted, split } from "./split.ts";
import { translated, WORDS } from "./words.ts";

const PROMPT = "zooid> ";

/** Commands that are not of use inside a shell. */
const NOT_INSIDE: ReadonlySet<string> = new Set([
  ...["shell", "completion"],
  // They open no session, and history is the shell's own.
  ...["history", "at", "diff"],
]);

/** What only the shell knows, with what follows the name. */
const OWN: readonly { readonly usage: string; readonly summary: string }[] = [
  { usage: "addauth digest USER:PASSWORD", summary: "be this user, too: in another session" },
  { usage: "connect URL", summary: "leave this ensemble for another" },
  { usage: "close", summary: "end the session; the next command begins another" },
  { usage: "history", summary: "the lines typed before" },
  { usage: "help [COMMAND]", summary: "this list, or what a command does" },
  { usage: "quit", summary: "end the session and leave; also exit, or Ctrl-D" },
];

export async function run(_given: Given, context: Context): Promise<number> {
  const target = context.target;
  if (target === undefined) throw new Error("a shell has a target");
  const options = { sessionTimeoutMs: SHELL_SESSION_TIMEOUT_MS, ...target.options };
  const shell = new Shell({ ...target, options }, context);
  try {
    return await shell.run();
  } finally {
    await shell.close();
  }
}

class Shell {
  readonly #io: Io;
  readonly #context: Context;
  readonly #session: ShellSession;
  readonly #lines: Interface;
  readonly #isInteractive: boolean;
  readonly #historyFile: string | undefined;
  /** Ends the command that runs. */
  #running: AbortController | undefined;
  #code: number = EXIT_OK;

  constructor(target: Target, context: Context) {
    const { io } = context;
    this.#io = io;
    this.#context = context;
    this.#isInteractive = io.stdin.isTTY === true && io.stdout.isTTY === true;
    this.#session = new ShellSession(target, (text) => this.#note(text), context.signal);
    this.#historyFile = this.#isInteractive ? historyFileOf(io.env) : undefined;
    this.#lines = createInterface({
      ...{ input: io.stdin, terminal: this.#isInteractive, prompt: PROMPT },
      ...(this.#isInteractive ? { output: io.stdout } : {}),
      history: readHistory(this.#historyFile),
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        void this.#complete(line, done);
      },
    });
    this.#lines.on("history", (history: string[]) => {
      if (isSecret(history[0] ?? "")) history.shift();
    });
    this.#lines.on("SIGINT", () => this.#interrupted());
    context.signal.addEventListener("abort", () => this.#lines.close(), { once: true });
  }

  /** Returns 0, or from a pipe the code of the last command that failed. */
  async run(): Promise<number> {
    if (this.#isInteractive) {
      this.#note(`zooid ${zooidVersion()}: help lists the commands, quit leaves`);
      await this.#attempt(async () => {
        await this.#session.client();
      });
      this.#lines.prompt();
    }
    for await (const line of this.#lines) {
      keepLine(this.#historyFile, line);
      if (!(await this.#take(line))) break;
      if (this.#isInteractive) this.#lines.prompt();
    }
    return this.#isInteractive ? EXIT_OK : this.#code;
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#session.close();
  }

  /** Returns false if it is the last line. */
  async #take(line: string): Promise<boolean> {
    const { words, open } = split(line);
    const [name, ...args] = words;
    if (name === undefined || name.startsWith("#")) return true;
    if (name === "quit" || name === "exit") return false;
    if (open === undefined) await this.#attempt(() => this.#command(name, args));
    else this.#refuse(`the quote ${open} is not closed`);
    return true;
  }

  async #command(name: string, args: readonly string[]): Promise<void> {
    switch (name) {
      case "addauth":
        return this.#addAuth(args);
      case "connect":
        return this.#connect(args);
      case "close":
        return this.#session.close();
      case "history":
        return this.#context.output.lines(readHistory(this.#historyFile).reverse());
      case "help":
      case "?":
        return this.#help(args[0]);
      case "version":
        return this.#context.output.line(zooidVersion());
      default:
        return this.#console([name, ...args]);
    }
  }

  async #console(words: readonly string[]): Promise<void> {
    const wanted = translated(words);
    if (wanted.kind === "missing") throw new MisusedError(`${words[0]}: ${wanted.advice}`);
    const [name = "", ...args] = wanted.words;
    const spec = NOT_INSIDE.has(name) ? undefined : specOf(name);
    if (spec === undefined) {
      throw new MisusedError(`there is no command ${name}: help lists what there is`);
    }
    const running = new AbortController();
    this.#running = running;
    const signal = AbortSignal.any([this.#io.signal, running.signal]);
    try {
      const code = await runCommand(spec, args, { ...this.#io, signal }, this.#sessionOf());
      if (code !== EXIT_OK) this.#code = code;
    } finally {
      this.#running = undefined;
    }
  }

  #sessionOf(): Session {
    return {
      client: () => this.#session.client(),
      target: this.#session.target,
      confirm: this.#isInteractive ? (question) => this.#confirm(question) : undefined,
    };
  }

  async #addAuth([scheme, who]: readonly string[]): Promise<void> {
    if (scheme !== "digest" || who === undefined) {
      throw new MisusedError("write addauth digest USER:PASSWORD; no other scheme is proved so");
    }
    await this.#session.addIdentity(identityOf("auth", who));
  }

  async #connect([url]: readonly string[]): Promise<void> {
    const { target } = this.#session;
    if (url === undefined) await this.#session.client();
    else await this.#session.moveTo(targetAt(url, target));
  }

  async #help(name: string | undefined): Promise<void> {
    const { output } = this.#context;
    const spec = name === undefined ? undefined : specOf(name);
    if (spec !== undefined) return output.line(helpOf(spec));
    const commands = SPECS.filter((each) => !NOT_INSIDE.has(each.name));
    const rows = [
      ...commands.map((each) => [each.name, each.summary]),
      ...OWN.map(({ usage, summary }) => [usage, summary]),
      ...WORDS.map((word) => [word.name, `zkCli's word for ${word.is}`]),
    ];
    const width = Math.max(...rows.map(([left = ""]) => left.length));
    return output.lines(rows.map(([left = "", right]) => `  ${left.padEnd(width)}  ${right}`));
  }

  /** Asks on the line of the shell. Anything but yes is no; so is Ctrl-C. */
  #confirm(question: string): Promise<boolean> {
    const signal = this.#running?.signal;
    return new Promise((resolve) => {
      signal?.addEventListener("abort", () => resolve(false), { once: true });
      this.#lines.question(escapedText(`${question} [y/N] `), { signal }, (answer) => {
        resolve(/^y(?:es)?$/i.test(answer.trim()));
      });
    });
  }

  async #complete(
    line: string,
    done: (error: null, found: [string[], string]) => void,
  ): Promise<void> {
    done(null, await this.#completed(line));
  }

  async #completed(line: string): Promise<[string[], string]> {
    const { words, last, open } = split(line);
    const before = last.raw === "" ? words : words.slice(0, -1);
    const asked = translated([...before, last.word]);
    const names = [
      ...SPECS.filter(({ name }) => !NOT_INSIDE.has(name)),
      ...OWN.map(({ usage, summary }) => ({ name: usage.split(" ")[0] ?? "", summary })),
      ...WORDS.map(({ name, is }) => ({ name, summary: is })),
    ];
    try {
      const { values } = await candidatesOf(asked.kind === "command" ? asked.words : [], {
        names,
        commandOf: (name) => Promise.resolve(specOf(name)),
        withConnection: false,
        children: async (path) => {
          const client = await this.#session.client();
          return (await client.children(path, { timeoutMs: patienceMsOf(this.#io.env) })).children;
        },
      });
      return [values.map(({ value }) => quoted(value, open)), last.raw];
    } catch {
      return [[], last.raw];
    }
  }

  /** Ctrl-C ends the command that runs; otherwise it empties the line. */
  #interrupted(): void {
    if (this.#running !== undefined) {
      this.#running.abort(new Error("ended by Ctrl-C"));
      return;
    }
    this.#io.stdout.write("^C\n");
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    this.#lines.prompt();
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#refuse(messageOf(error), error);
    }
  }

  #refuse(message: string, error?: unknown): void {
    const { code, hint } =
      error === undefined ? { code: EXIT_MISUSED, hint: undefined } : endingOf(error);
    this.#code = code;
    this.#note(hint === undefined ? message : `${message}\n  ${hint}`);
  }

  /** Tells something beside what the user types. */
  #note(text: string): void {
    this.#context.output.note(text);
  }
}
