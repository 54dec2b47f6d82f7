/** The clients of a run. */
import type { SimClient } from "./client.ts";
import type { NativeClient } from "./native.ts";
import type { ZooKeeperUser } from "./zookeeper/user.ts";

/** A user of one of the package's own, over either protocol. */
export type OwnClient = NativeClient | ZooKeeperUser;

/** Or one that speaks ZooKeeper's protocol by itself, as clients of others do. */
export type AnyClient = SimClient | OwnClient;
