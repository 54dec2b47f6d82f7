/**
 * The client. `connect` opens a session with an ensemble, over NATS or over ZooKeeper's own protocol:
 *
 *     await using client = await connect("nats://127.0.0.1:4222");
 *     const { path } = await client.create("/jobs/job-", "run me", { sequential: true });
 *     client.changes("/jobs", { recursive: true }).subscribe((change) => console.log(change));
 */
import { checkText } from "../protocol/arguments.ts";
import { Client } from "./client.ts";
import type { NativeWire } from "./native-wire.ts";
import { checkedUrl, type ConnectOptions, sessionOptionsOf } from "./options.ts";
import { isZooKeeperUrl } from "./zookeeper/url.ts";

export type { Acl } from "../protocol/acl.ts";
export type { Recursive } from "../protocol/changes.ts";
export {
  AbortedError,
  BadArgumentsError,
  BadVersionError,
  ClosedError,
  ConditionFailedError,
  ConnectionLossError,
  DiskFullError,
  GapError,
  InvalidAclError,
  InvalidValueError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NoNodeError,
  NodeExistsError,
  NotEmptyError,
  OperationTimeoutError,
  ServerError,
  SessionExpiredError,
  ThrottledError,
  TreeFullError,
  UnreachableError,
  UnsupportedError,
  ZooidError,
  type MaybeApplied,
  type ValueIssue,
} from "../protocol/errors.ts";
export type { Change } from "../protocol/reads.ts";
export type { Stat } from "../protocol/stat.ts";
export type { Zxid } from "../protocol/zxid.ts";
export type {
  AclReading,
  Created,
  CreateOptions,
  DeleteOptions,
  PutOptions,
  Reading,
  ReadOptions,
  VersionOptions,
} from "./calls.ts";
export { absent, type Condition, exists } from "./conditions.ts";
export type { ConnectOptions, Identity } from "./options.ts";
export type { Page, PagesOptions } from "./pages.ts";
export type { Quota, QuotaLimits } from "./quotas.ts";
export type { Barrier } from "./recipes/barrier.ts";
export type { Claim } from "./recipes/claim.ts";
export {
  type Config,
  type ConfigOptions,
  type ConfigProblem,
  openConfig,
} from "./recipes/config.ts";
export type { Counter, CounterOptions } from "./recipes/counter.ts";
export type { CronJob, CronOptions, CronRun } from "./recipes/cron.ts";
export type { DoubleBarrier, DoubleBarrierOptions } from "./recipes/double-barrier.ts";
export type { Election, ElectionOptions, Leader, Term } from "./recipes/election.ts";
export {
  ClaimLostError,
  type LostBecause,
  NoInstanceError,
  NotAcquiredError,
} from "./recipes/errors.ts";
export type { WaitOptions } from "./recipes/wait.ts";
export type { Layout, LockOptions } from "./recipes/lock.ts";
export type { JoinOptions, Member, MemberOf, Members, MembersOptions } from "./recipes/members.ts";
export {
  type OnceOptions,
  type OnceOutcome,
  oncePer,
  type Run,
  type Work,
} from "./recipes/once.ts";
export type {
  DeadLetter,
  Job,
  Queue,
  QueueOptions,
  QueuePutOptions,
} from "./recipes/queue.ts";
export type { RateLimit, RateLimitOptions } from "./recipes/rate-limit.ts";
export type { ReadWriteLock } from "./recipes/read-write-lock.ts";
export type { AcquireOptions, Semaphore, SemaphoreOptions } from "./recipes/semaphore.ts";
export type {
  Balance,
  Picked,
  PickOptions,
  Registration,
  Service,
  ServiceInstance,
  ServiceOptions,
} from "./recipes/service.ts";
export type { SessionState } from "./session/messages.ts";
export type { ChangeStream, Lag, StreamOptions } from "./streams/change-stream.ts";
export type { ChangesOptions } from "./streams/changes.ts";
export type { ChildrenView } from "./streams/children.ts";
export type { Diff } from "./streams/diff.ts";
export type { EventOf, Gap, Present, Progress, StreamEvent } from "./streams/events.ts";
export type { CopiedZnode } from "./streams/tree-copy.ts";
export type { TreeOptions, TreeView } from "./streams/tree.ts";
export type { Transaction, TransactionBuilder } from "./transaction.ts";
export { bytes, cbor, type Codec, json, Key, key, type Target, text } from "./values.ts";
export type { CallOptions, Wire } from "./wire.ts";
export { Client };

/**
 * Opens a session. Rejects with UnreachableError, whose message says what to check, or with BadArgumentsError.
 *
 * Over NATS `url` is `nats://[user:password@]host:port` or `tls://…`. Several URLs, with commas between them, name the servers of one NATS
 * cluster. The client tries them in the order given, and leaves one that cannot be reached, dies, or sends nothing for a third
 * of the session timeout (at least 1 s, at most 6 s) for the next.
 *
 * Over ZooKeeper's own protocol it is `zk://host:port,host:port/chroot`, or `zks://…` with TLS, to zooid or to Apache ZooKeeper.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  checkText("the URL of an ensemble", url);
  const session = sessionOptionsOf(options);
  // What only one protocol needs is loaded by those who use it.
  if (isZooKeeperUrl(url)) {
    const { openZooKeeperWire } = await import("./zookeeper/wire.ts");
    return new Client(await openZooKeeperWire(url, options));
  }
  const urls = url.split(",").map((each) => checkedUrl(each.trim()));
  const name = options.name ?? "zooid client";
  const timeoutMs = connectTimeoutMsOf(options);
  const { openNativeWire } = await import("./native-wire.ts");
  return new Client(await openNativeWire({ ...options, ...session, urls, name, timeoutMs }));
}

/** Resolves when the session has a connection over its channel. Rejects with UnreachableError, and ends the session, if it comes to none. */
export async function connectOver(wire: NativeWire, options: ConnectOptions): Promise<Client> {
  const { connected } = await import("./native-wire.ts");
  await connected(wire, connectTimeoutMsOf(options), sessionOptionsOf(options).ensemble);
  return new Client(wire);
}

function connectTimeoutMsOf({ connectTimeoutMs = 10_000 }: ConnectOptions): number {
  return connectTimeoutMs;
}
