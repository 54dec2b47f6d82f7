/** A node of `zooid ensemble`, as the ensemble sees it, whether it is a process or lives in this one. */
import type { NodeLine } from "../node-line.ts";

export type EnsembleNode = {
  readonly id: number;
  readonly pid: number;
  /** What starts it again once it is gone; undefined for one that lives in this process. */
  readonly restartCommand: string | undefined;
  /** Resolves when its clients can connect, rejects when it does not come to that. */
  readonly listening: Promise<NodeLine>;
  /** Resolves once it is gone: `signal SIGKILL`, `code 1`. */
  readonly exited: Promise<string>;
  /** Resolves once it is gone. */
  stop(): Promise<void>;
  /** At once, without a word. */
  kill(): void;
};

export type NodePlan = {
  readonly id: number;
  /** For `zooid serve`, by name. */
  readonly flags: ReadonlyMap<string, string>;
  /** Of the environment: who it is to NATS. In no command line, and never printed. */
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined: to standard error. */
  readonly logFile: string | undefined;
};
