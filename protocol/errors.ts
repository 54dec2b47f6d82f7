/** The errors that users of the package see. Callers match `code`, which is stable, and never the text. */
import { Code } from "./codes.ts";
import { formatZxid, type Zxid } from "./zxid.ts";

/**
 * Whether an operation that ended with an error has been done all the same. `yes`: it was done, and only its answer is lost. `unknown`:
 * it cannot be known yet.
 */
export type MaybeApplied = "no" | "yes" | "unknown";

/**
 * The base of all errors of this package. Match the class or `code`, never the text, which may change. `cause` is the error behind it,
 * where there is one: the reason of a signal that aborted, what a codec has thrown.
 */
export abstract class ZooidError extends Error {
  /** Which error it is, such as `ZOOID_NO_NODE`: one for each class. It stays the same from release to release. */
  abstract readonly code: `ZOOID_${string}`;
  /** True when the same call may succeed later without a change by the caller. */
  abstract readonly retryable: boolean;
  /**
   * `unknown` for a write that was under way when its connection, its time or its session ended: a node may have passed the write on
   * before it died, so its effect may be visible already, or become visible a little later.
   */
  readonly maybeApplied: MaybeApplied;
  /** In a transaction that was refused: the position of the operation over which it was, from 0. */
  readonly operationIndex: number | undefined;

  constructor(message: string, options?: ZooidErrorOptions) {
    super(message, options);
    this.maybeApplied = options?.maybeApplied ?? "no";
    this.operationIndex = options?.operationIndex;
  }
}

/** What the constructors of errors take beside their message. */
export type ZooidErrorOptions = ErrorOptions & {
  /** Whether the operation may have been done. Default `no`. */
  readonly maybeApplied?: MaybeApplied;
  /** Default: it was no member of a transaction. */
  readonly operationIndex?: number;
};

/** There is no znode at the path, or the parent of a znode to be created is missing. */
export class NoNodeError extends ZooidError {
  override readonly name = "NoNodeError";
  readonly code = "ZOOID_NO_NODE";
  readonly retryable = false;
  /** The path of the operation. The znode that is missing is the one here, or its parent. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path} or its parent does not exist`, options);
    this.path = path;
  }
}

/** There is a znode at the path already. ZooKeeper's NodeExists (-110). */
export class NodeExistsError extends ZooidError {
  override readonly name = "NodeExistsError";
  readonly code = "ZOOID_NODE_EXISTS";
  readonly retryable = false;
  /** The path at which a znode was to be created. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path} exists already`, options);
    this.path = path;
  }
}

/** The znode has another version than the caller asked for: somebody else changed it. */
export class BadVersionError extends ZooidError {
  override readonly name = "BadVersionError";
  readonly code = "ZOOID_BAD_VERSION";
  readonly retryable = false;
  /** The znode that was to be changed. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path} has another version than the one given`, options);
    this.path = path;
  }
}

/** The znode has children, so it is not deleted; `recursive` deletes them, too. ZooKeeper's NotEmpty (-111). */
export class NotEmptyError extends ZooidError {
  override readonly name = "NotEmptyError";
  readonly code = "ZOOID_NOT_EMPTY";
  readonly retryable = false;
  /** The znode that was to be deleted. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path} has children`, options);
    this.path = path;
  }
}

/** The parent is ephemeral, and ephemeral znodes have no children. ZooKeeper's NoChildrenForEphemerals (-108). */
export class NoChildrenForEphemeralsError extends ZooidError {
  override readonly name = "NoChildrenForEphemeralsError";
  readonly code = "ZOOID_NO_CHILDREN_FOR_EPHEMERALS";
  readonly retryable = false;
  /** The path at which a znode was to be created. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`the parent of ${path} is ephemeral and takes no children`, options);
    this.path = path;
  }
}

/**
 * An access control list does not grant this to the client, by what it has proved (`whoAmI` says what that is): the znode's own list, or,
 * to create or to delete it, its parent's. Nothing was done. ZooKeeper's NoAuth (-102).
 */
export class NoAuthError extends ZooidError {
  override readonly name = "NoAuthError";
  readonly code = "ZOOID_NO_AUTH";
  readonly retryable = false;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`the access control list of ${path} does not allow this`, options);
    this.path = path;
  }
}

/** An argument breaks a rule; the message says which. Nothing was sent. */
export class BadArgumentsError extends ZooidError {
  override readonly name = "BadArgumentsError";
  readonly code = "ZOOID_BAD_ARGUMENTS";
  readonly retryable = false;
}

/** The session is over, and its ephemeral znodes are deleted. Open another session with `connect`. */
export class SessionExpiredError extends ZooidError {
  override readonly name = "SessionExpiredError";
  readonly code = "ZOOID_SESSION_EXPIRED";
  readonly retryable = false;
  constructor(options?: ZooidErrorOptions) {
    super("the session has expired; its ephemeral nodes are gone. Connect anew", options);
  }
}

/** The connection was lost while this write was under way: it may or may not have been done, unless `maybeApplied` says which. */
export class ConnectionLossError extends ZooidError {
  override readonly name = "ConnectionLossError";
  readonly code = "ZOOID_CONNECTION_LOSS";
  readonly retryable = true;
  constructor(reason: string, options?: ZooidErrorOptions) {
    const maybeApplied = options?.maybeApplied ?? "unknown";
    super(`connection lost (${reason}): this write ${DONE[maybeApplied]}`, {
      ...options,
      maybeApplied,
    });
  }
}

const DONE: Readonly<Record<MaybeApplied, string>> = {
  no: "was not done",
  yes: "was done, and its answer is lost",
  unknown: "may or may not have been done",
};

/** No answer came in time. A write that was sent may have been done, or may still be done: see `maybeApplied`. */
export class OperationTimeoutError extends ZooidError {
  override readonly name = "OperationTimeoutError";
  readonly code = "ZOOID_OPERATION_TIMEOUT";
  readonly retryable = true;
  constructor(timeoutMs: number, options?: ZooidErrorOptions) {
    super(`no answer within ${timeoutMs} ms`, options);
  }
}

/** The caller waits no longer. A write that was sent may have been done, or may still be done: see `maybeApplied`. */
export class AbortedError extends ZooidError {
  override readonly name = "AbortError";
  readonly code = "ZOOID_ABORTED";
  readonly retryable = false;
  constructor(options?: ZooidErrorOptions) {
    super("the caller has aborted this operation", options);
  }
}

/** No node could be reached for a first connection. The message says where and what to check. */
export class UnreachableError extends ZooidError {
  override readonly name = "UnreachableError";
  readonly code = "ZOOID_UNREACHABLE";
  readonly retryable = true;
}

/**
 * The disk of the node, or the disks of too many nodes, have no space for writes. The write was certainly not done. Reads still
 * work.
 */
export class DiskFullError extends ZooidError {
  override readonly name = "DiskFullError";
  readonly code = "ZOOID_DISK_FULL";
  readonly retryable = true;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path}: the ensemble takes no writes, there is no space on its disks`, options);
    this.path = path;
  }
}

/**
 * The tree is as large as a node's memory allows. Writes that would grow it are refused; other writes, and deletes, are done. This write
 * was certainly not done.
 */
export class TreeFullError extends ZooidError {
  override readonly name = "TreeFullError";
  readonly code = "ZOOID_TREE_FULL";
  readonly retryable = true;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(
      `${path}: the ensemble takes no writes that grow the tree, its memory is full: delete znodes, or give the nodes more`,
      options,
    );
    this.path = path;
  }
}

/** The node has too many requests under way. The operation was certainly not done; try again a little later. */
export class ThrottledError extends ZooidError {
  override readonly name = "ThrottledError";
  readonly code = "ZOOID_THROTTLED";
  readonly retryable = true;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path}: not done, the node has too many requests under way; ask again later`, options);
    this.path = path;
  }
}

/** The caller has closed the client. */
export class ClosedError extends ZooidError {
  override readonly name = "ClosedError";
  readonly code = "ZOOID_CLOSED";
  readonly retryable = false;
  constructor(options?: ZooidErrorOptions) {
    super("this client is closed", options);
  }
}

/**
 * The ensemble no longer keeps the changes that come next in a stream: those after `from`, up to `to`, are lost to it. Whoever wants to go
 * on reads the znodes again and begins a stream at the zxid of that read, or asks for a stream that does so (`onGap`).
 */
export class GapError extends ZooidError {
  override readonly name = "GapError";
  readonly code = "ZOOID_GAP";
  readonly retryable = false;
  /** The path of the stream. */
  readonly path: string;
  /** Everything up to this zxid was delivered. */
  readonly from: Zxid;
  /** The ensemble still keeps the changes after this zxid. */
  readonly to: Zxid;
  constructor(path: string, gap: { readonly from: Zxid; readonly to: Zxid }) {
    const { from, to } = gap;
    const zxids = `after ${formatZxid(from)} up to ${formatZxid(to)}`;
    super(`${path}: the changes ${zxids} are no longer kept; read the znodes again`);
    this.path = path;
    this.from = from;
    this.to = to;
  }
}

/** The ensemble answered with a code that has no class of its own. */
export class ServerError extends ZooidError {
  override readonly name = "ServerError";
  readonly code = "ZOOID_SERVER";
  readonly retryable = false;
  /** ZooKeeper's code. */
  readonly serverCode: Code;
  constructor(serverCode: Code, path: string, options?: ZooidErrorOptions) {
    super(`${path}: refused with code ${serverCode}`, options);
    this.serverCode = serverCode;
  }
}

/** The access control list is empty, or names what the ensemble does not know. */
export class InvalidAclError extends ZooidError {
  override readonly name = "InvalidAclError";
  readonly code = "ZOOID_INVALID_ACL";
  readonly retryable = false;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(`${path}: the access control list is empty or has an entry that is none`, options);
    this.path = path;
  }
}

/** What a transaction asked for with `if` does not hold, so nothing was done. */
export class ConditionFailedError extends ZooidError {
  override readonly name = "ConditionFailedError";
  readonly code = "ZOOID_CONDITION_FAILED";
  readonly retryable = false;
  /** Which condition it was, in words. */
  readonly condition: string;
  constructor(condition: string, options?: ZooidErrorOptions) {
    super(`not done, because this does not hold: ${condition}`, options);
    this.condition = condition;
  }
}

/** What is wrong with a value, and where in it: names of properties and positions in lists. */
export type ValueIssue = {
  /** What is wrong, as the schema or the codec says it. */
  readonly message: string;
  /** Where in the value, from the outside in. Empty: the value as a whole. */
  readonly path: readonly PropertyKey[];
};

/** A value is not what its key says it is. `given`: nothing was sent. `stored`: that is what the znode holds. */
export class InvalidValueError extends ZooidError {
  override readonly name = "InvalidValueError";
  readonly code = "ZOOID_INVALID_VALUE";
  readonly retryable = false;
  /** The znode whose value it is. */
  readonly path: string;
  /** Whether the caller has given the value, or the znode holds it. */
  readonly which: "given" | "stored";
  /** What is wrong with it: all that the schema finds, or one issue where the codec fails. */
  readonly issues: readonly ValueIssue[];
  constructor(
    path: string,
    which: "given" | "stored",
    issues: readonly ValueIssue[],
    options?: ZooidErrorOptions,
  ) {
    const listed = issues.map((issue) => `${whereOf(issue)}${issue.message}`).join("; ");
    super(`${path}: the value ${which} is not valid: ${listed}`, options);
    this.path = path;
    this.which = which;
    this.issues = issues;
  }
}

function whereOf({ path }: ValueIssue): string {
  return path.length === 0 ? "" : `${path.map(String).join(".")}: `;
}

/** The servers do not know such an operation, or their configuration does not allow it. */
export class UnsupportedError extends ZooidError {
  override readonly name = "UnsupportedError";
  readonly code = "ZOOID_UNSUPPORTED";
  readonly retryable = false;
  /** The path of the operation. */
  readonly path: string;
  constructor(path: string, options?: ZooidErrorOptions) {
    super(
      `${path}: the servers of this ensemble do not support this operation: they are too old for it, or their configuration forbids it`,
      options,
    );
    this.path = path;
  }
}

/** Returns the error for an operation on a path that was refused with this code. */
export function errorOfCode(code: Code, path: string, options?: ZooidErrorOptions): ZooidError {
  switch (code) {
    case Code.noNode:
      return new NoNodeError(path, options);
    case Code.nodeExists:
      return new NodeExistsError(path, options);
    case Code.badVersion:
      return new BadVersionError(path, options);
    case Code.notEmpty:
      return new NotEmptyError(path, options);
    case Code.noChildrenForEphemerals:
      return new NoChildrenForEphemeralsError(path, options);
    case Code.noAuth:
      return new NoAuthError(path, options);
    case Code.badArguments:
      return new BadArgumentsError(`${path}: the ensemble refused the arguments`, options);
    case Code.invalidAcl:
      return new InvalidAclError(path, options);
    case Code.sessionExpired:
      return new SessionExpiredError(options);
    case Code.notReadOnly:
      return new DiskFullError(path, options);
    case Code.quotaExceeded:
      return new TreeFullError(path, options);
    case Code.unimplemented:
      return new UnsupportedError(path, options);
    case Code.throttled:
      return new ThrottledError(path, options);
    case Code.connectionLoss:
      return new ConnectionLossError("the node gave up");
    default:
      return new ServerError(code, path, options);
  }
}
