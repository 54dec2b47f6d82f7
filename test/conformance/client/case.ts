/** One client test suite for every ensemble and protocol: what a case is, and what it is given. */
import type { ExecutionContext } from "ava";
import type { Client, ConnectOptions } from "../../../client/connect.ts";

/** What not every target can do. A case that needs it is left out there, and the documentation lists it. */
export type Need =
  /** Stats of znodes that a transaction creates, TTLs. */
  | "everyChange"
  /** A whole subtree goes in one step. */
  | "wideOperations";

export type Target = {
  readonly name: string;
  readonly lacks: readonly Need[];
  readonly connect: (options?: ConnectOptions) => Promise<Client>;
};

export type Scene = {
  readonly t: ExecutionContext;
  readonly client: Client;
  /** Another client with a session of its own. */
  readonly other: () => Promise<Client>;
  readonly connect: (options: ConnectOptions) => Promise<Client>;
  /** A znode of this case alone, which is there. */
  readonly base: string;
};

export type Case = {
  readonly title: string;
  readonly needs?: readonly Need[];
  readonly run: (scene: Scene) => Promise<void>;
};
