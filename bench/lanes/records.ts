/**
 * Makes records as a leader would commit them, for benches of what applies them. They depend only on the arguments, so every run
 * has the same.
 */
import { crc32 } from "node:zlib";
import { OPEN_ACL } from "../../protocol/acl.ts";
import { encodeBarrier } from "../../protocol/barrier.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import type { ServerId, SessionId, Submitter } from "../../protocol/ids.ts";
import { PASSWORD_BYTES } from "../../protocol/ids.ts";
import type { ClientOperation, Operation } from "../../protocol/operations.ts";
import { encodeRecord } from "../../protocol/record.ts";
import { epoch, type Zxid, ZXID_NONE, zxidAfter, zxidOf } from "../../protocol/zxid.ts";

export const BENCH_SERVER: ServerId = 1 as ServerId;
const START_MS = 1_700_000_000_000;
const SESSION_TIMEOUT_MS = 30_000;
const CREATES_PER_BATCH = 256;
/** A prime number, so that steps of this size visit every znode before the first one comes again. */
const ZNODE_STEP = 7919;

export type RecordPlan = {
  /** The number of lanes that submit batches, in turn. */
  readonly lanes: number;
  readonly znodes: number;
  readonly valueBytes: number;
  readonly operation: "setData" | "create";
  readonly batches: number;
  readonly operationsPerBatch: number;
};

export type MadeRecords = {
  /** Records that make the tree: a barrier, a session, and the znodes. */
  readonly setUp: readonly Uint8Array[];
  /** Records with a `setData` of one znode after the other, or with a `create` of further znodes. */
  readonly batches: readonly Uint8Array[];
};

export function znodePath(number: number): string {
  return `/bench/znode-${number}`;
}

export function makeRecords(plan: RecordPlan): MadeRecords {
  const log = new Log(plan.lanes);
  const value = new Uint8Array(plan.valueBytes).fill(118);
  const setUp = [log.barrier()];
  const session = log.nextZxid as number as SessionId;
  const attachedAt = log.nextZxid;
  const password = new Uint8Array(PASSWORD_BYTES);
  const mine = (operation: ClientOperation): Operation => {
    return { kind: "client", session, attachedAt, operation };
  };
  setUp.push(log.batch([{ kind: "createSession", timeoutMs: SESSION_TIMEOUT_MS, password }]));
  setUp.push(log.batch([mine(createOf("/bench", value))]));
  for (let first = 0; first < plan.znodes; first += CREATES_PER_BATCH) {
    const length = Math.min(CREATES_PER_BATCH, plan.znodes - first);
    const creates = Array.from({ length }, (_, index) =>
      mine(createOf(znodePath(first + index), value)),
    );
    setUp.push(log.batch(creates));
  }
  let operations = 0;
  const batches = Array.from({ length: plan.batches }, () => {
    const batch: Operation[] = [];
    for (let index = 0; index < plan.operationsPerBatch; index += 1) {
      batch.push(mine(operationOf(plan, operations, value)));
      operations += 1;
    }
    return log.batch(batch);
  });
  return { setUp, batches };
}

function operationOf(plan: RecordPlan, number: number, data: Uint8Array): ClientOperation {
  if (plan.operation === "create") return createOf(znodePath(plan.znodes + number), data);
  const path = znodePath((number * ZNODE_STEP) % plan.znodes);
  return { kind: "setData", path, data, version: -1 };
}

function createOf(path: string, data: Uint8Array): ClientOperation {
  return {
    kind: "create",
    path,
    data,
    acl: OPEN_ACL,
    mode: { ephemeral: false, sequential: false },
  };
}

/** Numbers the records: zxids have no gap, and each submitting lane has a sequence of its own. */
class Log {
  nextZxid: Zxid = zxidOf(epoch(1), 0);
  readonly #lanes: number;
  readonly #lastSeq: number[] = [];
  #prevZxid: Zxid = ZXID_NONE;
  #batches = 0;

  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  barrier(): Uint8Array {
    return this.#record("barrier", encodeBarrier(undefined), 1);
  }

  batch(operations: readonly Operation[]): Uint8Array {
    return this.#record("batch", encodeBatch(operations), operations.length);
  }

  #record(kind: "barrier" | "batch", payload: Uint8Array, operations: number): Uint8Array {
    const firstZxid = this.nextZxid;
    const lastZxid = zxidAfter(firstZxid, operations - 1);
    const prevZxid = this.#prevZxid;
    const lane = 1 + (this.#batches % this.#lanes);
    let submitter: Submitter | undefined;
    let seq = 0;
    if (kind === "batch") {
      submitter = { server: BENCH_SERVER, lane, incarnation: 1 };
      seq = (this.#lastSeq[lane] ?? 0) + 1;
      this.#lastSeq[lane] = seq;
      this.#batches += 1;
    }
    this.#prevZxid = lastZxid;
    this.nextZxid = zxidAfter(lastZxid, 1);
    const timeMs = START_MS + this.#batches;
    const header = { kind, firstZxid, lastZxid, prevZxid, timeMs, submitter, seq };
    return encodeRecord(header, payload, crc32);
  }
}
