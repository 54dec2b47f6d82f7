/**
 * What clients may ask. A request beyond a limit, or for something that is not served, is refused here, in time linear in
 * its bytes: the log holds nothing that costs more to apply than its bytes do, and nothing that only looks as if it had an
 * effect. Both gateways ask the same questions.
 */
import { isOpenEntry } from "../../protocol/acl.ts";
import { unreachable } from "../../protocol/assert.ts";
import { Code } from "../../protocol/codes.ts";
import {
  ACL_ENTRIES_MAX,
  MULTI_OPERATIONS_MAX,
  PACKET_BYTES_MAX,
  PATH_LENGTH_MAX,
  WATCHES_PER_REQUEST_MAX,
} from "../../protocol/limits.ts";
import type { NativeRequest } from "../../protocol/native-packing.ts";
import type { ClientOperation, ZnodeOperation } from "../../protocol/operations.ts";
import {
  isSystemPath,
  pathProblem,
  pathSizeProblem,
  SEQUENCE_SUFFIX_LENGTH,
  SPECIAL_PATHS,
} from "../../protocol/paths.ts";
import type { Read } from "../../protocol/reads.ts";

export type Refusal = {
  readonly code: Code;
  /** Which operation of a multi the code is about. Undefined: the request as a whole. */
  readonly failedAt?: number;
};

/** Why the write may not be handed on, or undefined. */
export function writeRefusal(operation: ClientOperation): Refusal | undefined {
  if (operation.kind !== "multi") return refusalOf(codeOfWrite(operation));
  const { operations } = operation;
  if (operations.length > MULTI_OPERATIONS_MAX) return { code: Code.badArguments };
  for (const [failedAt, each] of operations.entries()) {
    const code = codeOfOperation(each);
    if (code !== undefined) return { code, failedAt };
  }
  return undefined;
}

/** Why the read may not be handed on, or undefined. */
export function readRefusal(read: Read): Code | undefined {
  // What no node can have as its path is a node that is not there.
  if (read.kind !== "setWatches") return isTooLarge(read.path) ? Code.noNode : undefined;
  const { data, exist, child } = read;
  const count = data.length + exist.length + child.length;
  if (count > WATCHES_PER_REQUEST_MAX) return Code.badArguments;
  return [data, exist, child].some((paths) => paths.some(isTooLarge))
    ? Code.badArguments
    : undefined;
}

/** Why a native client's request may not be handed on, or undefined. Paths are held to the rules, also those of reads. */
export function nativeRefusal(asked: NativeRequest): Code | undefined {
  if (asked.kind === "read") {
    const { path } = asked.read;
    return pathProblem(path) === undefined ? readRefusal(asked.read) : Code.badArguments;
  }
  const { operation } = asked;
  if (operation.kind === "closeSession") return undefined;
  const bytes = "data" in operation ? (operation.data?.length ?? 0) : 0;
  if (bytes > PACKET_BYTES_MAX) return Code.badArguments;
  // A sequential node's name may be empty: the number follows.
  const isSequential = operation.kind === "create" && operation.mode.sequential;
  const path = isSequential ? `${operation.path}0` : operation.path;
  return pathProblem(path) === undefined ? codeOfWrite(operation) : Code.badArguments;
}

/**
 * The write as it is handed on. Access control lists are not enforced yet, so only the one that needs no enforcing is served:
 * in the place of another stands the empty one, which the tree answers InvalidACL, in its turn and with a zxid as ZooKeeper
 * does.
 */
export function servedWrite(operation: ClientOperation): ClientOperation {
  switch (operation.kind) {
    case "create":
    case "setAcl":
      return isServed(operation) ? operation : { ...operation, acl: [] };
    case "multi": {
      const { operations } = operation;
      if (operations.every(isServed)) return operation;
      const served = operations.map((each) =>
        each.kind === "create" && !isServed(each) ? { ...each, acl: [] } : each,
      );
      return { kind: "multi", operations: served };
    }
    default:
      return operation;
  }
}

function isServed(operation: ClientOperation): boolean {
  if (operation.kind !== "create" && operation.kind !== "setAcl") return true;
  return operation.acl.length <= ACL_ENTRIES_MAX && operation.acl.every(isOpenEntry);
}

function codeOfWrite(operation: Exclude<ClientOperation, { kind: "multi" }>): Code | undefined {
  switch (operation.kind) {
    case "setAcl":
      if (isTooLarge(operation.path)) return Code.badArguments;
      return isSystemPath(operation.path) ? Code.noAuth : undefined;
    case "sync":
      return isTooLarge(operation.path) ? Code.badArguments : undefined;
    case "closeSession":
      return undefined;
    default:
      return codeOfOperation(operation);
  }
}

function codeOfOperation(operation: ZnodeOperation): Code | undefined {
  const { path } = operation;
  if (isTooLarge(path)) return Code.badArguments;
  switch (operation.kind) {
    case "create": {
      const length = path.length + (operation.mode.sequential ? SEQUENCE_SUFFIX_LENGTH : 0);
      if (length > PATH_LENGTH_MAX) return Code.badArguments;
      // `/zookeeper` itself is there already, unless a number is appended to its name.
      return path.startsWith("/zookeeper/") ? Code.noAuth : undefined;
    }
    case "delete":
      // Those are refused by the tree, as by ZooKeeper.
      if (SPECIAL_PATHS.includes(path)) return undefined;
      return isSystemPath(path) ? Code.noAuth : undefined;
    case "setData":
      return isSystemPath(path) ? Code.noAuth : undefined;
    case "check":
      return undefined;
    default:
      return unreachable(operation);
  }
}

function isTooLarge(path: string): boolean {
  return pathSizeProblem(path) !== undefined;
}

function refusalOf(code: Code | undefined): Refusal | undefined {
  return code === undefined ? undefined : { code };
}
