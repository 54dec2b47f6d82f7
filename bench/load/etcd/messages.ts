/**
 * The few messages of etcd's version 3 protocol (`etcdserverpb`, `rpc.proto`) that the load needs, in protobuf's encoding. A request
 * that does not change is encoded once, so that the generator costs little.
 */
import { Buffer } from "node:buffer";

/** `Compare.target` and `Compare.result`: the key has never been created, or has been deleted. */
const COMPARE_EQUAL = 0;
const COMPARE_CREATE_REVISION = 1;

/** Whether a range is answered by the asked server alone. */
export type RangeOptions = {
  readonly rangeEnd?: string;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
};

export function putRequest(key: string, value: Uint8Array, lease = 0n): Buffer {
  const fields = [bytesField(1, Buffer.from(key)), bytesField(2, value)];
  if (lease !== 0n) fields.push(integerField(3, lease));
  return Buffer.concat(fields);
}

export function rangeRequest(key: string, options: RangeOptions = {}): Buffer {
  const fields = [bytesField(1, Buffer.from(key))];
  if (options.rangeEnd !== undefined) fields.push(bytesField(2, Buffer.from(options.rangeEnd)));
  if (options.serializable === true) fields.push(integerField(7, 1n));
  if (options.keysOnly === true) fields.push(integerField(8, 1n));
  return Buffer.concat(fields);
}

export function deleteRequest(key: string, rangeEnd?: string): Buffer {
  const fields = [bytesField(1, Buffer.from(key))];
  if (rangeEnd !== undefined) fields.push(bytesField(2, Buffer.from(rangeEnd)));
  return Buffer.concat(fields);
}

/** Returns a transaction that makes the puts if none of `absent` exists. */
export function txnRequest(absent: readonly string[], puts: readonly Buffer[]): Buffer {
  const compares = absent.map((key) => {
    const compare = Buffer.concat([
      integerField(1, BigInt(COMPARE_EQUAL)),
      integerField(2, BigInt(COMPARE_CREATE_REVISION)),
      bytesField(3, Buffer.from(key)),
      integerField(5, 0n),
    ]);
    return bytesField(1, compare);
  });
  const requests = puts.map((put) => bytesField(2, bytesField(2, put)));
  return Buffer.concat([...compares, ...requests]);
}

/** Whether a transaction's comparisons held. */
export function txnSucceeded(response: Buffer): boolean {
  return integerOf(response, 2) === 1n;
}

export function leaseGrantRequest(seconds: number): Buffer {
  return integerField(1, BigInt(seconds));
}

export function leaseOf(response: Buffer): bigint {
  return integerOf(response, 2) ?? 0n;
}

export function leaseRevokeRequest(lease: bigint): Buffer {
  return integerField(1, lease);
}

/** Returns a request for a watch of all keys from the first to before the second. */
export function watchCreateRequest(key: string, rangeEnd: string): Buffer {
  const range = [bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(rangeEnd))];
  return bytesField(1, Buffer.concat(range));
}

/** Whether a watch's response says that the watch has been made. */
export function watchCreated(response: Buffer): boolean {
  return integerOf(response, 3) === 1n;
}

/** How many events a watch's response has. */
export function watchEvents(response: Buffer): number {
  return fieldsOf(response).filter(({ field }) => field === 11).length;
}

/** Whether the member that reports its status leads; undefined if it knows of no leader. */
export function statusLeads(response: Buffer): boolean | undefined {
  const leader = integerOf(response, 4) ?? 0n;
  const header = bytesOf(response, 1);
  if (leader === 0n || header === undefined) return undefined;
  return integerOf(header, 2) === leader;
}

/** The first key after all that begin with the prefix. */
export function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
}

function integerField(field: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(field * 8)), varint(value)]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

function integerOf(message: Buffer, wanted: number): bigint | undefined {
  const found = fieldsOf(message).find(({ field }) => field === wanted);
  return typeof found?.value === "bigint" ? found.value : undefined;
}

function bytesOf(message: Buffer, wanted: number): Buffer | undefined {
  const found = fieldsOf(message).find(({ field }) => field === wanted);
  return typeof found?.value === "object" ? found.value : undefined;
}

type Field = { readonly field: number; readonly value: bigint | Buffer };

function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let offset = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[offset] ?? 0;
      offset += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (offset < message.length) {
    const tag = Number(next());
    const type = tag & 7;
    const length = type === 1 ? 8 : type === 5 ? 4 : 0;
    if (type === 0) {
      fields.push({ field: tag >> 3, value: next() });
    } else {
      const size = type === 2 ? Number(next()) : length;
      fields.push({ field: tag >> 3, value: message.subarray(offset, offset + size) });
      offset += size;
    }
  }
  return fields;
}
