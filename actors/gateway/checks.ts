/**
 * This file decides what clients may ask. A request beyond a limit, or for something that is not served, is refused here, in time
 * linear in its bytes: the log holds nothing that costs more to apply than its bytes do, and nothing that only looks as if it had
 * an effect. Both gateways ask the same questions.
 */
import { unreachable } from "../../protocol/assert.ts";
import { Code } from "../../protocol/codes.ts";
import {
  MULTI_OPERATIONS_MAX,
  PACKET_BYTES_MAX,
  PATH_LENGTH_MAX,
  WATCHES_PER_REQUEST_MAX,
} from "../../protocol/limits.ts";
import { CONTAINER } from "../../protocol/lifetime.ts";
import type { NativeRead, NativeRequest } from "../../protocol/native-packing.ts";
import { frameBytes } from "../../protocol/native-size.ts";
import type { ClientOperation, ZnodeOperation } from "../../protocol/operations.ts";
import { pathProblem, pathSizeProblem, SEQUENCE_SUFFIX_LENGTH } from "../../protocol/paths.ts";
import { pathsOf, type Read } from "../../protocol/reads.ts";

export type Refusal = {
  readonly code: Code;
  /** The code is about this operation of a multi. Undefined: it is about the request as a whole. */
  readonly failedAt?: number;
};

/** Says why the write may not be handed on; undefined if it may. */
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

/** Says why the read may not be handed on; undefined if it may. */
export function readRefusal(read: Read): Code | undefined {
  if (read.kind === "setWatches") {
    const paths = pathsOf(read);
    return paths.length > WATCHES_PER_REQUEST_MAX || paths.some(isTooLarge)
      ? Code.badArguments
      : undefined;
  }
  // The others of its members are answered even if there can be no znode at the path of one.
  if (read.kind === "multiRead") {
    return read.reads.length > MULTI_OPERATIONS_MAX ? Code.badArguments : undefined;
  }
  // A prefix is compared, and is nothing that a znode could have.
  if (read.kind === "getEphemerals") return undefined;
  // ZooKeeper looks for it in no other read.
  if (read.kind === "exists" && read.path.includes("\0")) return Code.badArguments;
  if (!isTooLarge(read.path)) return undefined;
  switch (read.kind) {
    case "addWatch":
      return Code.badArguments;
    case "checkWatches":
    case "removeWatches":
      return Code.noWatcher;
    default:
      // No znode can have such a path, so there is none.
      return Code.noNode;
  }
}

type NativeOptions = { readonly extendedTypes: boolean };

/** Says why a native client's request may not be handed on; undefined if it may. The paths of reads are held to the rules, too. */
export function nativeRefusal(
  asked: NativeRequest,
  options: NativeOptions = { extendedTypes: true },
): Refusal | undefined {
  if (asked.kind === "whoAmI") return undefined;
  if (asked.kind === "read") {
    const { path } = asked.read;
    if (pathProblem(path) !== undefined || !hasNames(asked.read))
      return { code: Code.badArguments };
    return refusalOf(readRefusal(asked.read));
  }
  const { operation } = asked;
  if (operation.kind === "closeSession") return undefined;
  if (operation.kind !== "multi") return refusalOf(codeOfNative(operation, options));
  const { operations } = operation;
  if (operations.length > MULTI_OPERATIONS_MAX) return { code: Code.badArguments };
  // A NATS server may carry larger messages than a packet, and a record has no place for them.
  if (frameBytes(asked) > PACKET_BYTES_MAX) return { code: Code.badArguments };
  for (const [failedAt, each] of operations.entries()) {
    const code = codeOfNative(each, options);
    if (code !== undefined) return { code, failedAt };
  }
  return undefined;
}

/** Whether what is asked for as children are names that children can have. */
function hasNames(read: NativeRead): boolean {
  if (read.kind !== "childStats") return true;
  return read.names.every((name) => !/^$|\//.test(name) && pathProblem(`/${name}`) === undefined);
}

function codeOfNative(
  operation: Exclude<ClientOperation, { kind: "multi" | "closeSession" }>,
  { extendedTypes }: NativeOptions,
): Code | undefined {
  const bytes = "data" in operation ? (operation.data?.length ?? 0) : 0;
  if (bytes > PACKET_BYTES_MAX) return Code.badArguments;
  const mode = operation.kind === "create" ? operation.mode : undefined;
  const hasTtl = (mode?.lifetime ?? CONTAINER) !== CONTAINER;
  if (hasTtl && !extendedTypes) return Code.unimplemented;
  // A sequential znode's name may be empty: the number follows.
  const isSequential = mode?.sequential === true;
  const path = isSequential ? `${operation.path}0` : operation.path;
  return pathProblem(path) === undefined ? codeOfWrite(operation) : Code.badArguments;
}

function codeOfWrite(operation: Exclude<ClientOperation, { kind: "multi" }>): Code | undefined {
  switch (operation.kind) {
    case "setAcl":
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
      return length > PATH_LENGTH_MAX ? Code.badArguments : undefined;
    }
    case "delete":
    case "setData":
    case "check":
    case "refusal":
    case "checkNotExists":
    case "checkStat":
    case "tryRemove":
    case "removeRecursive":
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
