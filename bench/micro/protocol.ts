/** Measures batches and records. A batch is made once, by the lane that submits it, and checked and decoded on every node. */
import { crc32 } from "node:zlib";
import type { Bench } from "tinybench";
import { decodeBatch, encodeBatch } from "../../protocol/batch.ts";
import { encodeRecord, recordHeader, recordPayload, verifyRecord } from "../../protocol/record.ts";
import { makeRecords } from "../lanes/records.ts";

const OPERATIONS = 64;

export function addProtocolBenches(bench: Bench): void {
  const plan = {
    lanes: 1,
    znodes: 1000,
    valueBytes: 128,
    operation: "setData" as const,
    batches: 1,
    operationsPerBatch: OPERATIONS,
  };
  const [record] = makeRecords(plan).batches;
  if (record === undefined) throw new Error("a batch was asked for");
  const header = recordHeader(record);
  const payload = recordPayload(record);
  const operations = decodeBatch(payload);
  bench.add(`encodeBatch, ${OPERATIONS} setData`, () => {
    encodeBatch(operations);
  });
  bench.add(`decodeBatch, ${OPERATIONS} setData`, () => {
    decodeBatch(payload);
  });
  bench.add(`encodeRecord, ${record.length} bytes`, () => {
    encodeRecord(header, payload, crc32);
  });
  bench.add(`verifyRecord, ${record.length} bytes`, () => {
    verifyRecord(record, 0, crc32);
  });
  bench.add("recordHeader", () => {
    recordHeader(record);
  });
}
