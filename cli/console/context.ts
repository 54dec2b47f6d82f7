/** What the work of a command is given: where it prints, the client, and whether it is to end. */
import type { Readable, Writable } from "node:stream";
import type { Client } from "../../client/connect.ts";
import type { Target } from "./connection.ts";
import type { Output } from "./output.ts";

/** The streams and the environment of a process, or of a test. */
export type Io = {
  readonly stdin: Readable & {
    readonly isTTY?: boolean;
    /** A terminal has it: whether each key comes at once, Ctrl-C too. */
    readonly setRawMode?: (isRaw: boolean) => unknown;
  };
  /** `rows` and `columns` are a terminal's. */
  readonly stdout: Writable & {
    readonly isTTY?: boolean;
    readonly rows?: number;
    readonly columns?: number;
  };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user ends the command, as by Ctrl-C. */
  readonly signal: AbortSignal;
};

export type Context = {
  readonly io: Io;
  readonly output: Output;
  /** Which ensemble, and as whom. Undefined: the command needs none. */
  readonly target: Target | undefined;
  /** Opens the session, or gives the one of the shell. */
  readonly client: () => Promise<Client>;
  /** True: the session goes on when the command has ended. */
  readonly inShell: boolean;
  readonly signal: AbortSignal;
  /** Asks on the terminal. Undefined: there is nobody to ask. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
};
