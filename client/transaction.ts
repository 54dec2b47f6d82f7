/**
 * Transactions: steps whose results are typed by their position, under conditions. Source: ZooKeeper's `multi`; the conditions are
 * what etcd calls comparisons.
 */
import { OPEN_ACL } from "../protocol/acl.ts";
import {
  checkAcl,
  checkCallOptions,
  checkedMode,
  checkOptions,
  checkPath,
  checkText,
  checkVersion,
} from "../protocol/arguments.ts";
import { Code } from "../protocol/codes.ts";
import {
  BadArgumentsError,
  ConditionFailedError,
  errorOfCode,
  type ZooidError,
} from "../protocol/errors.ts";
import type { MemberResult, NativeMember } from "../protocol/native-packing.ts";
import { parentOf } from "../protocol/paths.ts";
import type { Stat } from "../protocol/stat.ts";
import type { Zxid } from "../protocol/zxid.ts";
import type { CreateOptions } from "./calls.ts";
import type { Condition } from "./conditions.ts";
import type { Answer } from "./session/messages.ts";
import { encoded, type Key, pathOf, type Target } from "./values.ts";
import type { CallOptions, WireFeatures } from "./wire.ts";

const VERSION_ANY = -1;

/** One step of a transaction, and what it results in. */
export type TransactionStep<Result> = {
  readonly path: string;
  readonly operation: NativeMember | Promise<NativeMember>;
  readonly resultOf: (result: MemberResult) => Result;
};

/** The results of steps, by their position. */
export type ResultsOf<Steps extends readonly unknown[]> = {
  -readonly [Index in keyof Steps]: Steps[Index] extends TransactionStep<infer Result>
    ? Result
    : never;
};

/** How a step creates a znode. */
export type CreateStepOptions = Pick<
  CreateOptions,
  "ephemeral" | "sequential" | "container" | "ttlMs" | "acl"
>;

/** How a step changes a znode: compare and set. */
export type VersionStepOptions = {
  /** The step is refused with BadVersionError unless the znode's data has this version. Default: any version will do. */
  readonly version?: number;
};

/** What a step that creates a znode results in. */
export type CreatedByStep = {
  /** With the sequence number, if there is one. */
  readonly path: string;
  /** The new znode's own. */
  readonly stat: Stat;
};

/**
 * Makes the steps of a transaction. Arguments are checked at once: BadArgumentsError, and InvalidValueError for a value that the key does
 * not take; where the key's schema takes its time, `commit` is rejected with it.
 */
export class TransactionBuilder {
  /** Creates a znode; the parent has to be there, or made by a step before. */
  create<Value, Given>(
    target: Key<Value, Given>,
    value: Given,
    options?: CreateStepOptions,
  ): TransactionStep<CreatedByStep>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  create(
    path: string,
    data?: Uint8Array | string | null,
    options?: CreateStepOptions,
  ): TransactionStep<CreatedByStep>;
  create(
    target: Target,
    value: unknown = null,
    options: CreateStepOptions = {},
  ): TransactionStep<CreatedByStep> {
    const path = pathOf(target);
    checkText("a path", path);
    checkOptions("options", options);
    const mode = checkedMode(options);
    checkPath(mode.sequential ? `${path}0` : path);
    const { acl = OPEN_ACL } = options;
    checkAcl(acl);
    return {
      path,
      operation: withData(target, value, (data) => {
        return { kind: "create", path, data, acl, mode, tellsStat: true };
      }),
      resultOf: (result) => {
        if (result.kind !== "created") throw unexpected(result);
        return { path: result.path, stat: result.stat };
      },
    };
  }

  /** Replaces the value of a znode. */
  set<Value, Given>(
    target: Key<Value, Given>,
    value: Given,
    options?: VersionStepOptions,
  ): TransactionStep<Stat>;
  /** The same at a path: bytes as they are, text as UTF-8, null for no data. */
  set(
    path: string,
    data: Uint8Array | string | null,
    options?: VersionStepOptions,
  ): TransactionStep<Stat>;
  set(target: Target, value: unknown, options: VersionStepOptions = {}): TransactionStep<Stat> {
    const { path, version } = checkedStep(target, options);
    return {
      path,
      operation: withData(target, value, (data) => ({ kind: "setData", path, data, version })),
      resultOf: (result) => {
        if (result.kind !== "stat") throw unexpected(result);
        return result.stat;
      },
    };
  }

  /** Deletes a znode that has no children, or none since the steps before it. */
  delete(target: Target, options: VersionStepOptions = {}): TransactionStep<void> {
    const { path, version } = checkedStep(target, options);
    return { path, operation: { kind: "delete", path, version }, resultOf: () => undefined };
  }

  /** Fails unless the znode is there; with `version`: unless its data has this version. */
  check(target: Target, options: VersionStepOptions = {}): TransactionStep<void> {
    const { path, version } = checkedStep(target, options);
    return { path, operation: { kind: "check", path, version }, resultOf: () => undefined };
  }
}

/** What a transaction asks of the client. */
export type TransactionClient = {
  readonly wire: { readonly features: WireFeatures };
  multi(operations: readonly NativeMember[], path: string, options: CallOptions): Promise<Answer>;
};

/**
 * Steps that are done together, at one zxid, or not at all; nothing is done before `commit`. Source: ZooKeeper's `multi`, with conditions
 * as etcd's transactions have them.
 */
export class Transaction<Results extends readonly unknown[]> {
  readonly #client: TransactionClient;
  readonly #steps: readonly TransactionStep<unknown>[];
  readonly #conditions: readonly Condition[];

  constructor(
    client: TransactionClient,
    steps: readonly TransactionStep<unknown>[],
    conditions: readonly Condition[] = [],
  ) {
    this.#client = client;
    this.#steps = steps;
    this.#conditions = conditions;
  }

  /** The same transaction under one more condition. */
  if(condition: Condition): Transaction<Results> {
    return new Transaction(this.#client, this.#steps, [...this.#conditions, condition]);
  }

  /**
   * Does all of it, or nothing. Rejects with ConditionFailedError if a condition does not hold; with the error of the step that was
   * refused, whose `operationIndex` is its position; and as every write does. The results have the `zxid` of the transaction.
   */
  async commit(options: CallOptions = {}): Promise<Results & { readonly zxid: Zxid }> {
    checkCallOptions(options);
    const { features } = this.#client.wire;
    const asked = this.#conditions.flatMap((condition) => {
      const operations = features.wideOperations
        ? condition.operations
        : condition.operations.flatMap(inPlainWords);
      return operations.map((operation) => ({ operation, condition }));
    });
    const made = allOf(this.#steps.map(({ operation }) => operation));
    const operations = [
      ...asked.map(({ operation }) => operation),
      ...(made instanceof Promise ? await made : made),
    ];
    if (operations.length === 0)
      throw new BadArgumentsError("a transaction has a step or a condition");
    const path = this.#steps[0]?.path ?? operations[0]?.path ?? "/";
    const { result, zxid } = await this.#client.multi(operations, parentOrSelf(path), options);
    if (result.kind !== "multi") throw unexpected(result);
    if (result.failed) throw this.#failure(result.results, asked);
    const results = this.#steps.map(({ resultOf }, index) =>
      resultOf(result.results[asked.length + index] ?? NO_RESULT),
    );
    return Object.assign(results, { zxid }) as unknown as Results & { readonly zxid: Zxid };
  }

  #failure(
    results: readonly MemberResult[],
    asked: readonly { readonly condition: Condition }[],
  ): ZooidError {
    const at = results.findIndex((each) => each.kind === "error" && each.code !== Code.ok);
    const refused = results[at];
    const code = refused?.kind === "error" ? refused.code : Code.runtimeInconsistency;
    const condition = asked[at]?.condition;
    const operationIndex = at - asked.length;
    const path = this.#steps[operationIndex]?.path ?? "/";
    if (condition === undefined) return errorOfCode(code, path, { operationIndex });
    const isNoAnswer = code === Code.noAuth || code === Code.throttled;
    const cause = errorOfCode(code, path);
    return isNoAnswer ? cause : new ConditionFailedError(condition.name, { cause });
  }
}

const NO_RESULT: MemberResult = { kind: "error", code: Code.systemError };

/** ZooKeeper has no check that a znode is not there. To create and to delete it in one transaction is one. */
function inPlainWords(operation: NativeMember): readonly NativeMember[] {
  if (operation.kind !== "checkNotExists") return [operation];
  const { path } = operation;
  return [
    { kind: "create", path, data: null, acl: OPEN_ACL, mode: PERSISTENT },
    { kind: "delete", path, version: VERSION_ANY },
  ];
}

const PERSISTENT = { ephemeral: false, sequential: false } as const;

function checkedStep(
  target: Target,
  options: VersionStepOptions,
): { readonly path: string; readonly version: number } {
  const path = pathOf(target);
  checkPath(path);
  checkOptions("options", options);
  const { version = VERSION_ANY } = options;
  checkVersion(version);
  return { path, version };
}

function withData(
  target: Target,
  value: unknown,
  operationOf: (data: Uint8Array | null) => NativeMember,
): NativeMember | Promise<NativeMember> {
  const made = encoded(target, value);
  if (!(made instanceof Promise)) return operationOf(made);
  const operation = made.then(operationOf);
  // The commit hears of it; a transaction that is never committed is nobody's error.
  operation.catch(() => undefined);
  return operation;
}

/** At once, unless something is still to be waited for: what is asked in one turn goes out together. */
function allOf(
  operations: readonly (NativeMember | Promise<NativeMember>)[],
): readonly NativeMember[] | Promise<readonly NativeMember[]> {
  const isReady = (each: NativeMember | Promise<NativeMember>): each is NativeMember =>
    !(each instanceof Promise);
  return operations.every(isReady)
    ? operations
    : Promise.all(operations.map((each) => Promise.resolve(each)));
}

/** The name of a sequential znode may be empty, which is no path. */
function parentOrSelf(path: string): string {
  return path.endsWith("/") ? parentOf(path) : path;
}

function unexpected({ kind }: { readonly kind: string }): Error {
  return new TypeError(`the ensemble answered a step with a result of kind ${kind}`);
}
