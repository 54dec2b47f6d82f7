/**
 * Applies committed records in order, each once. This is deterministic: the outcome depends on nothing but the record and the
 * replicated state. Results are built only for the batches of this lane, since nobody waits for the others here.
 */
import { assert, unreachable } from "../../../protocol/assert.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import { Code } from "../../../protocol/codes.ts";
import { ANYONE, type Identity, NO_IDENTITIES, type Who } from "../../../protocol/identities.ts";
import type { RequestNumber } from "../../../protocol/request-number.ts";
import type { ClientOperation, Operation, OperationResult } from "../../../protocol/operations.ts";
import {
  recordConfiguration,
  recordHeader,
  recordPayload,
  type RecordHeader,
} from "../../../protocol/record.ts";
import { zxidAfter } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { ApplyFailure } from "./apply-failure.ts";
import { applyMulti } from "./multi.ts";
import { reap } from "./reap.ts";
import { DONE, errorResult, znodeResult } from "./results.ts";
import { tellConfiguration } from "../ensemble-config.ts";
import {
  dropRequests,
  keepResult,
  newRequests,
  requestsSoFar,
  takeNumber,
} from "../store/requests.ts";
import { createSession, ownText, samePassword, type Session } from "../store/sessions.ts";
import { saveSession } from "../snapshot/cut.ts";
import type { TreeState, TreeTurn } from "../state.ts";
import { takeBatch } from "../store/submitters.ts";
import { createTransaction, type Transaction } from "./transaction.ts";
import { takeBatchReads } from "./reads-behind.ts";
import type { ReadsBehind } from "../messages.ts";
import { emitSessionChanges } from "../session-changes.ts";
import { answerAll } from "../reads.ts";
import { tellExcesses } from "../quotas/tell.ts";
import { takeEvents } from "../watch/watches.ts";
import { applyZnodeOperation } from "./apply-znode.ts";
import { removeZnode, setAcl } from "./znode-operations.ts";

/** Applies a record and returns how many zxids it has. Throws an `ApplyFailure` if an operation cannot be applied. */
export function applyRecord(turn: TreeTurn, record: Uint8Array): number {
  const { state: tree } = turn;
  const header = recordHeader(record);
  assert(header.prevZxid === tree.lastApplied, "a record follows the one applied before it");
  assert(header.firstZxid > tree.lastApplied, "zxids only grow");
  const count = header.lastZxid - header.firstZxid + 1;
  if (header.kind === "batch" && isNew(tree, header)) {
    applyBatch(turn, header, operationsOf(tree, header, record));
  }
  const isOther = header.kind !== "batch" && takeConfiguration(tree, record);
  tree.lastApplied = header.lastZxid;
  tree.lastTimeMs = header.timeMs;
  if (isOther) tellConfiguration(turn, header.lastZxid);
  return count;
}

/**
 * Keeps the latest configuration in an applied record. A barrier may name an older one: its leader did not know yet that the records
 * before the barrier, with a later configuration in them, were committed. Returns whether it took the place of another one.
 */
function takeConfiguration(tree: TreeState, record: Uint8Array): boolean {
  const configuration = recordConfiguration(record);
  const before = tree.configuration;
  if (configuration === undefined || configuration.version <= (before?.version ?? 0)) return false;
  tree.configuration = configuration;
  return before !== undefined;
}

/** Decodes the operations of a record. If it cannot be decoded and its first zxid is to be skipped, each operation is undefined. */
function operationsOf(
  tree: TreeState,
  header: RecordHeader,
  record: Uint8Array,
): readonly (Operation | undefined)[] {
  const { firstZxid, lastZxid } = header;
  const count = lastZxid - firstZxid + 1;
  try {
    const operations = decodeBatch(recordPayload(record));
    assert(operations.length === count, "a batch has a zxid for each of its operations");
    return operations;
  } catch (error) {
    if (!tree.options.skips.has(firstZxid)) {
      throw new ApplyFailure(firstZxid, header, undefined, { cause: error });
    }
    return Array.from({ length: count }, () => undefined);
  }
}

function isNew(tree: TreeState, { submitter, seq }: RecordHeader): boolean {
  return submitter === undefined || takeBatch(tree.submitters, submitter, seq);
}

function applyBatch(
  turn: TreeTurn,
  header: RecordHeader,
  operations: readonly (Operation | undefined)[],
): void {
  const { state: tree, effects } = turn;
  const { submitter, seq, firstZxid } = header;
  const own = submitter?.server === tree.options.server && submitter.lane === tree.options.lane;
  const { skips } = tree.options;
  const results: OperationResult[] = [];
  const behind = own ? takeBatchReads(tree, submitter.incarnation, seq) : [];
  let answered = 0;
  const transaction = createTransaction(tree, header);
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index];
    const zxid = zxidAfter(firstZxid, index);
    transaction.zxid = zxid;
    if (operation === undefined || (skips.size > 0 && skips.has(zxid))) {
      tree.skipped.push(zxid);
      if (own) results.push(errorResult(Code.systemError));
    } else {
      const result = applyOrFail(transaction, header, operation, own);
      if (own && result !== undefined) results.push(result);
    }
    for (; behind[answered]?.after === index + 1; answered += 1) {
      emitSessionChanges(turn);
      answerAll(turn, behind[answered] as ReadsBehind, zxid);
    }
  }
  takeEvents(turn);
  tellExcesses(turn, own);
  if (!own) return;
  assert(results.length === operations.length, "every operation of an own batch has its result");
  const { incarnation } = submitter;
  effects.push(
    tell(`submitter/${tree.options.lane}`, {
      kind: "applied",
      incarnation,
      seq,
      firstZxid,
      results,
    }),
  );
}

function applyOrFail(
  transaction: Transaction,
  header: RecordHeader,
  operation: Operation,
  wanted: boolean,
): OperationResult | undefined {
  try {
    return applyOperation(transaction, operation, wanted);
  } catch (error) {
    throw new ApplyFailure(transaction.zxid, header, operation, { cause: error });
  }
}

/** Applies one operation. The result may be undefined if it is not `wanted`. */
function applyOperation(
  transaction: Transaction,
  operation: Operation,
  wanted: boolean,
): OperationResult | undefined {
  const { tree, zxid } = transaction;
  switch (operation.kind) {
    case "client": {
      const session = tree.sessions.get(operation.session);
      if (session === undefined) return errorResult(Code.sessionExpired);
      if (session.attachedAt !== operation.attachedAt) return errorResult(Code.sessionMoved);
      transaction.who = whoOf(transaction, session, operation.identities);
      return operation.request === undefined || operation.operation.kind === "closeSession"
        ? applyClient(transaction, session, operation.operation, wanted)
        : applyNumbered(transaction, session, operation.request, operation.operation);
    }
    case "createSession": {
      const session = createSession(tree.sessions, zxid, operation);
      tree.sessionsTouched.add(session.id);
      return sessionResult(session);
    }
    case "attachSession":
      return attachSession(transaction, operation);
    case "expireSession": {
      const session = tree.sessions.get(operation.session);
      // A session that was attached again after its leader had found it expired lives on.
      if (session !== undefined && session.attachedAt <= operation.attachedAt) {
        endSession(transaction, session);
      }
      return DONE;
    }
    case "deleteContainer":
      reap(transaction, operation);
      return DONE;
    default:
      return unreachable(operation);
  }
}

/** Operations of one client follow each other, and most clients prove nothing, so that hardly ever an object is made. */
function whoOf(
  { who: last }: Transaction,
  session: Session,
  identities: readonly Identity[] = NO_IDENTITIES,
): Who {
  const { address } = session;
  if (identities.length > 0) {
    // Within a batch, what is alike is one list.
    const isSame = last.identities === identities && last.address === address;
    return isSame ? last : { identities, address };
  }
  if (address === undefined) return ANYONE;
  session.who ??= { identities: NO_IDENTITIES, address };
  return session.who;
}

function applyClient(
  transaction: Transaction,
  session: Session,
  operation: ClientOperation,
  wanted: boolean,
): OperationResult | undefined {
  switch (operation.kind) {
    case "multi":
      return applyMulti(transaction, session, operation.operations, wanted);
    case "setAcl": {
      const { path, acl, version } = operation;
      const outcome = setAcl(transaction, path, acl, version);
      return wanted ? znodeResult(transaction.tree.znodes, "setAcl", outcome) : undefined;
    }
    case "sync":
      return DONE;
    case "closeSession":
      endSession(transaction, session);
      return DONE;
    default: {
      const outcome = applyZnodeOperation(transaction, session, operation);
      return wanted ? znodeResult(transaction.tree.znodes, operation.kind, outcome) : undefined;
    }
  }
}

/** Its result is made on every replica, and kept until the client is known to have had it. */
function applyNumbered(
  transaction: Transaction,
  session: Session,
  request: RequestNumber,
  operation: ClientOperation,
): OperationResult {
  const { tree, zxid } = transaction;
  saveSession(tree, session);
  session.requests ??= newRequests();
  const refusal = takeNumber(session.requests, request, tree.kept);
  if (refusal !== undefined) return errorResult(refusal);
  const result = applyClient(transaction, session, operation, true);
  assert(result !== undefined && result.kind !== "session", "what is wanted has a result");
  keepResult(session.requests, { number: request.number, zxid, result }, tree.kept);
  return result;
}

function attachSession(
  { tree, zxid }: Transaction,
  { session: id, timeoutMs, password, address }: Extract<Operation, { kind: "attachSession" }>,
): OperationResult {
  const session = tree.sessions.get(id);
  if (session === undefined || !samePassword(session, password)) {
    return errorResult(Code.sessionExpired);
  }
  saveSession(tree, session);
  session.timeoutMs = timeoutMs;
  session.attachedAt = zxid;
  session.address = ownText(address);
  session.who = undefined;
  tree.sessionsTouched.add(id);
  return sessionResult(session);
}

function sessionResult({
  id: session,
  timeoutMs,
  password,
  attachedAt,
  requests,
}: Session): OperationResult {
  const result = { kind: "session", session, timeoutMs, password, attachedAt } as const;
  return requests === undefined ? result : { ...result, requests: requestsSoFar(requests) };
}

/** Removes the session and its ephemerals, all at this zxid. */
function endSession(transaction: Transaction, session: Session): void {
  const { tree } = transaction;
  const { znodes } = tree;
  saveSession(tree, session);
  dropRequests(session, tree.kept);
  // They are sorted by path, since the order of the set is not replicated, and every node must delete in the same order.
  const ephemerals = [...(session.ephemerals ?? [])].map((id) => ({ id, path: znodes.path(id) }));
  for (const { id, path } of ephemerals.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    assert(znodes.ephemeralOwner(id) === session.id, "a session knows its ephemerals");
    removeZnode(transaction, id, path);
  }
  tree.sessions.delete(session.id);
  tree.sessionsTouched.add(session.id);
}
