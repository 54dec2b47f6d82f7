/** Who has changed something, as far as the log says: a record has the session of each operation, and what its client had proved. */
import { maskedIdentity } from "../../protocol/access.ts";
import { decodeBatch } from "../../protocol/batch.ts";
import { type Identity, NO_IDENTITIES } from "../../protocol/identities.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { Operation } from "../../protocol/operations.ts";
import { recordHeader, recordPayload } from "../../protocol/record.ts";
import type { Zxid } from "../../protocol/zxid.ts";

export type Cause = {
  /**
   * What was asked for: the kind of a client's operation, such as `delete`, `multi` or `closeSession`; `expireSession`, when the leader has ended a
   * silent session, and `deleteContainer`, when a lifetime was over.
   */
  readonly operation: string;
  /** Undefined: no session has asked for it. */
  readonly session: SessionId | undefined;
  /** The address from which the session was attached then. Undefined: its connection has none, as over NATS. */
  readonly address: string | undefined;
  /** What the connection had proved. Hashes of passwords are left out. */
  readonly identities: readonly Identity[];
  /** The node through which it came. Undefined: the log does not say. */
  readonly node: ServerId | undefined;
};

const UNKNOWN: Cause = {
  operation: "unknown",
  session: undefined,
  address: undefined,
  identities: NO_IDENTITIES,
  node: undefined,
};

/**
 * The record is decoded when the first cause is asked for, since most records have no change that is sought. `addressBefore`: from where a
 * session was attached before the record, as it may end with it. No session that a record begins or moves writes in the same record: its
 * client has not heard of it yet.
 */
export function causesOf(
  record: Uint8Array,
  addressBefore: (session: SessionId) => string | undefined,
): (zxid: Zxid) => Cause {
  const { kind, firstZxid, submitter } = recordHeader(record);
  if (kind !== "batch") return () => UNKNOWN;
  let operations: readonly Operation[] | undefined;
  return (zxid) => {
    operations ??= operationsIn(record);
    const operation = operations[zxid - firstZxid];
    if (operation === undefined) return UNKNOWN;
    const session = sessionOf(operation);
    return {
      operation: operation.kind === "client" ? operation.operation.kind : operation.kind,
      session,
      address: session === undefined ? undefined : addressBefore(session),
      identities: identitiesOf(operation),
      node: submitter?.server,
    };
  };
}

/** One that cannot be decoded is skipped by whoever applies it, and changes nothing. */
function operationsIn(record: Uint8Array): readonly Operation[] {
  try {
    return decodeBatch(recordPayload(record));
  } catch {
    return [];
  }
}

function sessionOf(operation: Operation): SessionId | undefined {
  switch (operation.kind) {
    case "client":
    case "expireSession":
      return operation.session;
    default:
      return undefined;
  }
}

function identitiesOf(operation: Operation): readonly Identity[] {
  if (operation.kind !== "client") return NO_IDENTITIES;
  return operation.identities?.map(maskedIdentity) ?? NO_IDENTITIES;
}
