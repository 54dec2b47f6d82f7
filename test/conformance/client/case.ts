/** One client test suite for every ensemble and protocol: what a case is, and what it is given. */
import type { ExecutionContext } from "ava";
import type { Client, ConnectOptions } from "../../../client/connect.ts";
import type { ZookeeperFeature } from "../../support/zookeeper-under-test.ts";

/** What not every target has; docs/client/zookeeper.md lists which server has what. */
export type Need = Extract<ZookeeperFeature, "containers" | "ttls" | "whoAmI">;

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
  /** It is left out where the target lacks this. */
  readonly needs?: Need;
  /** It shows what becomes of a target that lacks this, and is left out elsewhere. */
  readonly without?: Need;
  readonly run: (scene: Scene) => Promise<void>;
};
