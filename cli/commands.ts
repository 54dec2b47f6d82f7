/** The commands of `zooid` that are about nodes and their folders. Those of the console are in `console/specs.ts`. */
import type { Command } from "./command.ts";

export type CommandEntry = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Loads it when it is run: each brings much that the others do without. */
  readonly load: () => Promise<Command>;
};

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "run one node",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "ensemble",
    summary: "run several nodes on this machine",
    load: async () => (await import("./ensemble/command.ts")).ensemble,
  },
  {
    name: "inspect",
    summary: "print and verify what is in a node's data folder",
    load: async () => (await import("./inspect.ts")).inspect,
  },
];
