/**
 * The client. `connect` opens a session with an ensemble, over NATS or over ZooKeeper's own protocol:
 *
 *     await using client = await connect("nats://127.0.0.1:4222");
 *     const { path } = await client.create("/jobs/job-", "run me", { sequential: true });
 *     client.changes("/jobs", { recursive: true }).subscribe((change) => console.log(change));
 */
import { checkText } from "../protocol/arguments.ts";
import { Client } from "./client.ts";
import { checkConnectOptions, checkedUrl, type ConnectOptions, proofOf } from "./options.ts";

export type { Acl } from "../protocol/acl.ts";
export type { ChangeEvent } from "../protocol/changes.ts";
export {
  AbortedError,
  BadArgumentsError,
  BadVersionError,
  ClosedError,
  ConditionFailedError,
  ConnectionLossError,
  DiskFullError,
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
  ZooidError,
  type MaybeApplied,
  type ValueIssue,
} from "../protocol/errors.ts";
export type { Change } from "../protocol/reads.ts";
export type { Stat } from "../protocol/stat.ts";
export type { Zxid } from "../protocol/zxid.ts";
export type {
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
export type { SessionState } from "./session/messages.ts";
export type { ChangesOptions } from "./streams/changes.ts";
export type { Transaction, TransactionBuilder } from "./transaction.ts";
export { bytes, cbor, type Codec, json, Key, key, type Target, text } from "./values.ts";
export type { CallOptions, Wire } from "./wire.ts";
export { Client };

/**
 * Opens a session. `url` is `nats://[user:password@]host:port` or `tls://…`. Several URLs, with commas between them, name the servers of
 * one NATS cluster. The client tries them in the order given, and leaves one that cannot be reached, dies, or sends nothing for a
 * third of the session timeout (at least 1 s, at most 6 s) for the next. Rejects with UnreachableError, whose message says what to
 * check, or with BadArgumentsError.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  checkText("the URL of a NATS server", url);
  checkConnectOptions(options);
  const urls = url.split(",").map((each) => checkedUrl(each.trim()));
  // What only one protocol needs is loaded by those who use it.
  const { openNativeWire } = await import("./native-wire.ts");
  const wire = await openNativeWire({
    ...options,
    urls,
    ensemble: options.ensemble ?? "zooid",
    name: options.name ?? "zooid client",
    timeoutMs: options.connectTimeoutMs ?? 10_000,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
    operationTimeoutMs: options.operationTimeoutMs ?? 30_000,
    proofs: (options.identities ?? []).map(proofOf),
  });
  return new Client(wire);
}
