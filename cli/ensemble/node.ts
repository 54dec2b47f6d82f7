/** A node of `zooid ensemble` as the ensemble sees it: a process of its own, or a part of this one. */
import type { NodeLine } from "../node-line.ts";

export type EnsembleNode = {
  readonly id: number;
  readonly pid: number;
  /** The command that starts the node again after it has ended; undefined for a node in this process. */
  readonly restartCommand: string | undefined;
  /** Resolves when clients can connect to the node. Rejects if the node ends before. */
  readonly listening: Promise<NodeLine>;
  /** Resolves when the node has ended, with the reason: `signal SIGKILL`, `code 1`. */
  readonly exited: Promise<string>;
  /** Stops the node in order. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Ends the node at once, as a crash would. */
  kill(): void;
};

export type NodePlan = {
  readonly id: number;
  /** The flags for `zooid serve`, by name. */
  readonly flags: ReadonlyMap<string, string>;
  /** Environment variables with the node's credentials for NATS, so that they are on no command line. They are never printed. */
  readonly variables: Readonly<Record<string, string>>;
  /** The file for the node's log; undefined for standard error. */
  readonly logFile: string | undefined;
};
