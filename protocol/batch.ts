/**
 * A batch: the operations of one turn of a lane, as CBOR. Each operation is an array that starts with its code, so that
 * no field name travels.
 */
import type { Acl } from "./acl.ts";
import { unreachable } from "./assert.ts";
import {
  identityBytes,
  packIdentities,
  unpackIdentities,
  WITH_IDENTITIES,
} from "./batch-identities.ts";
import { BATCH_CBOR, decodeCbor, encodeCbor } from "./cbor.ts";
import { cborBytes } from "./cbor-bytes.ts";
import { FieldError, list } from "./fields.ts";
import type { Code } from "./codes.ts";
import type { Identity } from "./identities.ts";
import type { SessionId } from "./ids.ts";
import { CONTAINER, type Lifetime } from "./lifetime.ts";
import type { ClientOperation, CreateMode, Operation, ZnodeOperation } from "./operations.ts";
import type { RequestNumber } from "./request-number.ts";
import { STAT_FIELDS, type Stat } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

type Packed = readonly unknown[];

// These codes are on disks, so none may ever change. Those of clients' operations are ZooKeeper's op codes.
const CREATE = 1;
const DELETE = 2;
const SET_DATA = 5;
const SET_ACL = 7;
const SYNC = 9;
const CHECK = 13;
const MULTI = 14;
/** A create of a container has the fields of any other; one of a znode with a TTL has the milliseconds behind them. */
export const CREATE_CONTAINER = 19;
const DELETE_CONTAINER = 20;
export const CREATE_TTL = 21;
/** A create that leaves what is there already has the fields of any other. Its code, and the next ones, are ClickHouse Keeper's. */
export const CREATE_IF_NOT_EXISTS = 502;
const CHECK_NOT_EXISTS = 501;
const REMOVE_RECURSIVE = 503;
const CHECK_STAT = 504;
const TRY_REMOVE = 505;
const CLOSE_SESSION = -11;
const CREATE_SESSION = -10;
const ATTACH_SESSION = -20;
const EXPIRE_SESSION = -21;
const REFUSAL = -22;
/** Creates of a container, or with a TTL, that leave what is there already. */
export const CREATE_CONTAINER_IF_NOT_EXISTS = -23;
export const CREATE_TTL_IF_NOT_EXISTS = -24;

/** An operation as it stands in a batch, and how many bytes it takes there. */
export type PackedOperation = {
  readonly fields: readonly unknown[];
  /** With identities it is the most that it can take: those that are alike are in the batch once. */
  readonly bytes: number;
  readonly identities: readonly Identity[] | undefined;
};

/** The most bytes that a batch takes beside its operations. */
export const BATCH_HEAD_BYTES = 5;

export function packOperation(operation: Operation): PackedOperation {
  const fields = pack(operation);
  const identities = identitiesOf(operation);
  const bytes = cborBytes(fields) + (identities === undefined ? 0 : identityBytes(identities));
  return { fields, bytes, identities };
}

type Unsized = Omit<PackedOperation, "bytes">;

export function encodePacked(operations: readonly Unsized[]): Uint8Array {
  const packed = operations.map(({ fields }) => fields);
  if (operations.every(({ identities }) => identities === undefined)) return encodeCbor(packed);
  const { table, places } = packIdentities(operations.map(({ identities }) => identities));
  return encodeCbor([WITH_IDENTITIES, table, packed, places]);
}

function identitiesOf(operation: Operation): readonly Identity[] | undefined {
  const identities = operation.kind === "client" ? operation.identities : undefined;
  return identities?.length === 0 ? undefined : identities;
}

/** The codes, for the check of a batch that came from a peer (`batch-check.ts`). */
export const BATCH_CODES: Readonly<
  Record<ClientOperation["kind"] | Exclude<Operation["kind"], "client">, number>
> = {
  create: CREATE,
  delete: DELETE,
  setData: SET_DATA,
  setAcl: SET_ACL,
  sync: SYNC,
  check: CHECK,
  multi: MULTI,
  closeSession: CLOSE_SESSION,
  createSession: CREATE_SESSION,
  attachSession: ATTACH_SESSION,
  expireSession: EXPIRE_SESSION,
  deleteContainer: DELETE_CONTAINER,
  refusal: REFUSAL,
  checkNotExists: CHECK_NOT_EXISTS,
  checkStat: CHECK_STAT,
  tryRemove: TRY_REMOVE,
  removeRecursive: REMOVE_RECURSIVE,
};

export function encodeBatch(operations: readonly Operation[]): Uint8Array {
  return encodePacked(
    operations.map((each) => ({ fields: pack(each), identities: identitiesOf(each) })),
  );
}

/**
 * Returns the operations of a batch, in order. Throws a `CborError` or `FieldError` on bytes that are no batch. The values of single
 * fields are not checked here: an operation that cannot be applied fails by itself when it is applied.
 */
export function decodeBatch(payload: Uint8Array): Operation[] {
  const batch = list(decodeCbor(payload, BATCH_CBOR));
  if (batch[0] !== WITH_IDENTITIES) return batch.map((item) => unpack(item, undefined));
  const identities = unpackIdentities(batch[1], batch[3]);
  return list(batch[2]).map((item, index) => unpack(item, identities[index]));
}

function pack(operation: Operation): Packed {
  switch (operation.kind) {
    case "client":
      return packClient(operation.session, attachment(operation), operation.operation);
    case "createSession":
      return withAddress([CREATE_SESSION, operation.timeoutMs, operation.password], operation);
    case "attachSession": {
      const { session, timeoutMs, password } = operation;
      return withAddress([ATTACH_SESSION, session, timeoutMs, password], operation);
    }
    case "expireSession":
      return [EXPIRE_SESSION, operation.session, operation.attachedAt];
    case "deleteContainer":
      return [DELETE_CONTAINER, operation.path, operation.unusedMs];
    default:
      return unreachable(operation);
  }
}

/** The zxid alone, or with the number of the request. */
function attachment({
  attachedAt,
  request,
}: Extract<Operation, { readonly kind: "client" }>): Attachment {
  return request === undefined ? attachedAt : [attachedAt, request.number, request.answered];
}

type Attachment = number | readonly [attachedAt: Zxid, number: number, answered: number];

function withAddress(fields: Packed, { address }: { readonly address?: string }): Packed {
  return address === undefined ? fields : [...fields, address];
}

function packClient(
  session: SessionId,
  attachedAt: Attachment,
  operation: ClientOperation,
): Packed {
  switch (operation.kind) {
    case "setAcl":
      return [
        SET_ACL,
        session,
        attachedAt,
        operation.path,
        packAcl(operation.acl),
        operation.version,
      ];
    case "multi":
      return [
        MULTI,
        session,
        attachedAt,
        operation.operations.map((each) => packZnode(0, 0, each)),
      ];
    case "sync":
      return [SYNC, session, attachedAt, operation.path];
    case "closeSession":
      return [CLOSE_SESSION, session, attachedAt];
    default:
      return packZnode(session, attachedAt, operation);
  }
}

function packZnode(session: number, attachedAt: Attachment, operation: ZnodeOperation): Packed {
  switch (operation.kind) {
    case "create": {
      const { path, data, acl, mode } = operation;
      const { lifetime } = mode;
      const flags = (mode.ephemeral ? 1 : 0) + (mode.sequential ? 2 : 0);
      const fields = [session, attachedAt, path, data, packAcl(acl), flags];
      const unlessExists = operation.unlessExists === true;
      if (lifetime === undefined) {
        return unlessExists ? [CREATE_IF_NOT_EXISTS, ...fields] : [CREATE, ...fields];
      }
      if (lifetime === CONTAINER) {
        return [unlessExists ? CREATE_CONTAINER_IF_NOT_EXISTS : CREATE_CONTAINER, ...fields];
      }
      return [unlessExists ? CREATE_TTL_IF_NOT_EXISTS : CREATE_TTL, ...fields, lifetime];
    }
    case "delete":
      return [DELETE, session, attachedAt, operation.path, operation.version];
    case "tryRemove":
      return [TRY_REMOVE, session, attachedAt, operation.path, operation.version];
    case "removeRecursive":
      return [REMOVE_RECURSIVE, session, attachedAt, operation.path, operation.znodesMax];
    case "checkNotExists":
      return [CHECK_NOT_EXISTS, session, attachedAt, operation.path, operation.version];
    case "checkStat": {
      const { path, version, stat } = operation;
      return [CHECK_STAT, session, attachedAt, path, version, ...packStat(stat)];
    }
    case "setData":
      return [SET_DATA, session, attachedAt, operation.path, operation.data, operation.version];
    case "check":
      return [CHECK, session, attachedAt, operation.path, operation.version];
    case "refusal":
      return [REFUSAL, session, attachedAt, operation.path, operation.code];
    default:
      return unreachable(operation);
  }
}

function unpack(item: unknown, identities: readonly Identity[] | undefined): Operation {
  const packed = list(item);
  switch (packed[0]) {
    case CREATE_SESSION:
      return {
        kind: "createSession",
        timeoutMs: packed[1] as number,
        password: packed[2] as Uint8Array,
        ...addressIn(packed[3]),
      };
    case ATTACH_SESSION:
      return {
        kind: "attachSession",
        session: packed[1] as SessionId,
        timeoutMs: packed[2] as number,
        password: packed[3] as Uint8Array,
        ...addressIn(packed[4]),
      };
    case EXPIRE_SESSION:
      return {
        kind: "expireSession",
        session: packed[1] as SessionId,
        attachedAt: packed[2] as Zxid,
      };
    case DELETE_CONTAINER:
      return {
        kind: "deleteContainer",
        path: packed[1] as string,
        unusedMs: packed[2] as number,
      };
    default: {
      const attachment = Array.isArray(packed[2]) ? (packed[2] as Packed) : undefined;
      return {
        kind: "client",
        session: packed[1] as SessionId,
        attachedAt: (attachment === undefined ? packed[2] : attachment[0]) as Zxid,
        ...(identities === undefined ? {} : { identities }),
        ...(attachment === undefined ? {} : requestIn(attachment)),
        operation: unpackClient(packed),
      };
    }
  }
}

/** The number of the request, which stands with the attachment. */
function requestIn(attachment: Packed): { readonly request: RequestNumber } {
  return { request: { number: attachment[1] as number, answered: attachment[2] as number } };
}

function addressIn(field: unknown): { readonly address?: string } {
  return field === undefined ? {} : { address: field as string };
}

function unpackClient(packed: Packed): ClientOperation {
  switch (packed[0]) {
    case SET_ACL:
      return {
        kind: "setAcl",
        path: packed[3] as string,
        acl: unpackAcl(packed[4]),
        version: packed[5] as number,
      };
    case MULTI:
      return { kind: "multi", operations: list(packed[3]).map(unpackZnode) };
    case SYNC:
      return { kind: "sync", path: packed[3] as string };
    case CLOSE_SESSION:
      return { kind: "closeSession" };
    default:
      return unpackZnode(packed);
  }
}

function unpackZnode(item: unknown): ZnodeOperation {
  const packed = list(item);
  const path = packed[3] as string;
  switch (packed[0]) {
    case CREATE:
    case CREATE_CONTAINER:
    case CREATE_TTL:
    case CREATE_IF_NOT_EXISTS:
    case CREATE_CONTAINER_IF_NOT_EXISTS:
    case CREATE_TTL_IF_NOT_EXISTS:
      return {
        kind: "create",
        path,
        data: packed[4] as Uint8Array | null,
        acl: unpackAcl(packed[5]),
        mode: modeOf(packed[0], packed[6], packed[7]),
        ...(UNLESS_EXISTS.has(packed[0]) && { unlessExists: true }),
      };
    case TRY_REMOVE:
      return { kind: "tryRemove", path, version: packed[4] as number };
    case REMOVE_RECURSIVE:
      return { kind: "removeRecursive", path, znodesMax: packed[4] as number };
    case CHECK_NOT_EXISTS:
      return { kind: "checkNotExists", path, version: packed[4] as number };
    case CHECK_STAT:
      return {
        kind: "checkStat",
        path,
        version: packed[4] as number,
        stat: unpackStat(packed.slice(5)),
      };
    case DELETE:
      return { kind: "delete", path, version: packed[4] as number };
    case SET_DATA:
      return {
        kind: "setData",
        path,
        data: packed[4] as Uint8Array | null,
        version: packed[5] as number,
      };
    case CHECK:
      return { kind: "check", path, version: packed[4] as number };
    case REFUSAL:
      return { kind: "refusal", path, code: packed[4] as Code };
    default:
      throw new FieldError("unknown operation code in a batch");
  }
}

function modeOf(code: number, flags: unknown, ttlMs: unknown): CreateMode {
  const mode = MODES[flags as number];
  if (mode === undefined) throw new FieldError("unknown flags of a create");
  if (code === CREATE || code === CREATE_IF_NOT_EXISTS) return mode;
  const isTtl = code === CREATE_TTL || code === CREATE_TTL_IF_NOT_EXISTS;
  return { ...mode, lifetime: isTtl ? (ttlMs as Lifetime) : CONTAINER };
}

const UNLESS_EXISTS: ReadonlySet<number> = new Set([
  CREATE_IF_NOT_EXISTS,
  CREATE_CONTAINER_IF_NOT_EXISTS,
  CREATE_TTL_IF_NOT_EXISTS,
]);

const MODES: readonly CreateMode[] = [
  { ephemeral: false, sequential: false },
  { ephemeral: true, sequential: false },
  { ephemeral: false, sequential: true },
  { ephemeral: true, sequential: true },
];

function packStat(stat: Stat): Packed {
  return STAT_FIELDS.map((field) => stat[field]);
}

function unpackStat(packed: Packed): Stat {
  const fields = STAT_FIELDS.map((field, index) => [field, packed[index]] as const);
  return Object.fromEntries(fields) as unknown as Stat;
}

function packAcl(acl: readonly Acl[]): Packed {
  return acl.map((entry) => [entry.permissions, entry.scheme, entry.id]);
}

function unpackAcl(packed: unknown): Acl[] {
  return list(packed).map((item) => {
    const entry = list(item);
    return { permissions: entry[0] as number, scheme: entry[1] as string, id: entry[2] as string };
  });
}
