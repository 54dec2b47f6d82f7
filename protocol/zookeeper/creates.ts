/**
 * What the flags of ZooKeeper's create requests mean, each with its op code. Sources: CreateMode.fromFlag, EphemeralType.validateTTL and
 * PrepRequestProcessor.pRequest2TxnCreate; for members of a multi, Op.Create.
 */
import type { Acl } from "../acl.ts";
import { Code } from "../codes.ts";
import type { JuteReader } from "../jute.ts";
import { CONTAINER, ttlOf } from "../lifetime.ts";
import type { CreateMode, ZnodeOperation } from "../operations.ts";
import { OpCode } from "./codes.ts";
import { failOverNull, readPath } from "./null-paths.ts";

const EPHEMERAL_FLAGS: readonly number[] = [1, 3];
const SEQUENTIAL_FLAGS: readonly number[] = [2, 3, 6];
const CONTAINER_FLAGS = 4;
const TTL_FLAGS: readonly number[] = [5, 6];
const FLAGS_MAX = 6;

export function isCreate(opCode: number): boolean {
  return (
    opCode === OpCode.create ||
    opCode === OpCode.create2 ||
    opCode === OpCode.createContainer ||
    opCode === OpCode.createTtl
  );
}

export type CreateOptions = {
  readonly opCode: number;
  /** The znode is made by a member of a multi. */
  readonly inMulti: boolean;
  /** Whether znodes with a TTL may be made. */
  readonly extendedTypes: boolean;
};

export type CreateRequest = {
  readonly create: Extract<ZnodeOperation, { readonly kind: "create" }>;
  /** It cannot be done, whatever the tree holds. */
  readonly refusal: Code | undefined;
};

const PERSISTENT: CreateMode = { ephemeral: false, sequential: false };

export function readCreate(
  reader: JuteReader,
  readAcl: (reader: JuteReader) => readonly Acl[],
  options: CreateOptions,
): CreateRequest {
  const path = options.inMulti ? readPath(reader) : reader.string();
  const data = reader.buffer();
  const acl = readAcl(reader);
  const flags = reader.int32();
  const ttlMs = options.opCode === OpCode.createTtl ? reader.int64() : undefined;
  const mode = modeOf(flags, ttlMs, options);
  const isRefused = typeof mode === "number";
  // ZooKeeper looks at the flags before it fails over a path that is null.
  if (path === null && !isRefused) failOverNull(reader);
  const kind = "create" as const;
  const create = { kind, path: path ?? "", data, acl, mode: isRefused ? PERSISTENT : mode };
  return { create, refusal: isRefused ? mode : undefined };
}

function modeOf(
  flags: number,
  ttlMs: number | undefined,
  { opCode, inMulti, extendedTypes }: CreateOptions,
): CreateMode | Code {
  if (flags < 0 || flags > FLAGS_MAX) return Code.badArguments;
  const sequential = SEQUENTIAL_FLAGS.includes(flags);
  if (TTL_FLAGS.includes(flags)) {
    if (!extendedTypes) return Code.unimplemented;
    // A create without the field for it has no TTL. In a multi, ZooKeeper cannot read such a member.
    if (ttlMs === undefined) return inMulti ? Code.marshallingError : Code.badArguments;
    const lifetime = ttlOf(ttlMs);
    return lifetime === undefined ? Code.badArguments : { ephemeral: false, sequential, lifetime };
  }
  const ephemeral = EPHEMERAL_FLAGS.includes(flags);
  // A member goes by its flags alone, any other create by its op code.
  if (inMulti) {
    if (flags === CONTAINER_FLAGS) return { ephemeral, sequential, lifetime: CONTAINER };
    return { ephemeral, sequential };
  }
  if (ttlMs !== undefined) return Code.badArguments;
  if (opCode !== OpCode.createContainer) return { ephemeral, sequential };
  return { ephemeral: false, sequential, lifetime: CONTAINER };
}
