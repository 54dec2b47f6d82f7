/** Every mutant, by where its mistake is. */
import { ACCESS_MUTANTS } from "./access.ts";
import { CLIENT_MUTANTS } from "./clients.ts";
import { CLIENT_SESSION_MUTANTS } from "./client-session.ts";
import { CLIENT_ZOOKEEPER_MUTANTS } from "./client-zookeeper.ts";
import { LIVE_COPY_MUTANTS } from "./live-copies.ts";
import { CONTACT_MUTANTS } from "./contact.ts";
import { FAILOVER_MUTANTS } from "./failovers.ts";
import type { Mutant } from "./mutant.ts";
import { COUNTING_MUTANTS } from "./counting.ts";
import { HANDOVER_MUTANTS } from "./handovers.ts";
import { IDENTITY_MUTANTS } from "./identity.ts";
import { KEEPER_MUTANTS } from "./keeper.ts";
import { FEED_MUTANTS } from "./feed.ts";
import { LIFETIME_MUTANTS } from "./lifetimes.ts";
import { NATIVE_REPEAT_MUTANTS } from "./native-repeats.ts";
import { NATIVE_OPERATION_MUTANTS } from "./native-operations.ts";
import { NATIVE_MUTANTS } from "./native.ts";
import { QUOTA_MUTANTS } from "./quotas.ts";
import { READER_MUTANTS } from "./readers.ts";
import { REPLICATION_MUTANTS } from "./replication.ts";
import { SPACE_MUTANTS } from "./space.ts";
import { FAILURE_MUTANTS } from "./failures.ts";
import { SNAPSHOT_MUTANTS } from "./snapshots.ts";
import { STATE_MACHINE_MUTANTS } from "./state-machine.ts";
import { STORE_MUTANTS } from "./store.ts";
import { STORAGE_MUTANTS } from "./storage.ts";
import { TURN_MUTANTS } from "./turns.ts";
import { RECIPE_MUTANTS } from "./recipes.ts";
import { RIGHT_MUTANTS } from "./rights.ts";
import { READ_ONLY_MUTANTS } from "./read-only.ts";
import { WATCH_MUTANTS } from "./watches.ts";
import { WIDE_READ_MUTANTS } from "./wide-reads.ts";

export const MUTANTS: readonly Mutant[] = [
  ...REPLICATION_MUTANTS,
  ...COUNTING_MUTANTS,
  ...IDENTITY_MUTANTS,
  ...STORAGE_MUTANTS,
  ...FAILURE_MUTANTS,
  ...SNAPSHOT_MUTANTS,
  ...STATE_MACHINE_MUTANTS,
  ...STORE_MUTANTS,
  ...QUOTA_MUTANTS,
  ...CLIENT_MUTANTS,
  ...CLIENT_SESSION_MUTANTS,
  ...CLIENT_ZOOKEEPER_MUTANTS,
  ...LIVE_COPY_MUTANTS,
  ...RIGHT_MUTANTS,
  ...RECIPE_MUTANTS,
  ...CONTACT_MUTANTS,
  ...FAILOVER_MUTANTS,
  ...HANDOVER_MUTANTS,
  ...SPACE_MUTANTS,
  ...NATIVE_MUTANTS,
  ...NATIVE_OPERATION_MUTANTS,
  ...NATIVE_REPEAT_MUTANTS,
  ...READER_MUTANTS,
  ...FEED_MUTANTS,
  ...TURN_MUTANTS,
  ...READ_ONLY_MUTANTS,
  ...WATCH_MUTANTS,
  ...LIFETIME_MUTANTS,
  ...ACCESS_MUTANTS,
  ...KEEPER_MUTANTS,
  ...WIDE_READ_MUTANTS,
];
