/**
 * Checks that bytes from a peer are a batch that every node can apply. It makes one pass over the CBOR that `encodeBatch` writes, and
 * allocates nothing. Requests of clients are checked by their gateways; but a malformed batch of a peer would be in the log for ever,
 * and stop every node that applies it. Whatever passes this check is also within the CBOR profile (`cbor-profile.ts`), because it
 * accepts no other items than those of a batch; a property test compares the two checks on damaged batches.
 */
import { PASSWORD_BYTES } from "./ids.ts";
import {
  BATCH_CODES,
  CREATE_CONTAINER,
  CREATE_CONTAINER_IF_NOT_EXISTS,
  CREATE_IF_NOT_EXISTS,
  CREATE_TTL,
  CREATE_TTL_IF_NOT_EXISTS,
} from "./batch.ts";
import { WITH_IDENTITIES } from "./batch-identities.ts";
import { isUtf8 } from "./cbor-profile.ts";
import { TTL_MS_MAX } from "./lifetime.ts";
import { IDENTITIES_MAX, REMOVE_RECURSIVE_MAX } from "./limits.ts";
import { STAT_FIELDS } from "./stat.ts";
import { EPOCH_MAX } from "./zxid.ts";

/** CBOR's major types. */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const FLOAT_64 = 0xfb;
const NULL = 0xf6;
const ZXID_END = (EPOCH_MAX + 1) * 2 ** 32;
const INT32_END = 2 ** 31;
const SAFE_END = Number.MAX_SAFE_INTEGER + 1;
const MODES = 4;
const IN_MULTI: ReadonlySet<number> = new Set([
  BATCH_CODES.create,
  BATCH_CODES.delete,
  BATCH_CODES.setData,
  BATCH_CODES.check,
  BATCH_CODES.refusal,
  BATCH_CODES.checkNotExists,
  BATCH_CODES.checkStat,
  BATCH_CODES.tryRemove,
  BATCH_CODES.removeRecursive,
  CREATE_CONTAINER,
  CREATE_IF_NOT_EXISTS,
  CREATE_TTL,
  CREATE_CONTAINER_IF_NOT_EXISTS,
  CREATE_TTL_IF_NOT_EXISTS,
]);
/** Those of a znode with a lifetime, which is not ephemeral. */
const LASTING_FLAGS: ReadonlySet<number> = new Set([0, 2]);

/** Why the payload is no batch, or undefined. `count` is the number of operations that its record has zxids for. */
export function batchFault(payload: Uint8Array, count: number): string | undefined {
  const walk = new Walk(payload);
  try {
    const items = walk.head(ARRAY);
    if (walk.isAtNumber) withIdentities(walk, items, count);
    else operations(walk, items, count);
    walk.end();
    return undefined;
  } catch (error) {
    if (error instanceof NoBatch) return error.message;
    throw error;
  }
}

class NoBatch extends Error {
  override readonly name = "NoBatch";
}

function operations(walk: Walk, items: number, count: number): void {
  if (items !== count) throw new NoBatch("a batch has a zxid for each of its operations");
  for (let index = 0; index < count; index += 1) operation(walk);
}

function withIdentities(walk: Walk, items: number, count: number): void {
  if (items !== 4 || walk.head(UNSIGNED) !== WITH_IDENTITIES) {
    throw new NoBatch("a batch of another version");
  }
  const entries = walk.head(ARRAY);
  for (let index = 0; index < entries; index += 1) {
    const texts = walk.head(ARRAY);
    if (texts % 2 !== 0) throw new NoBatch("an identity without an id");
    if (texts > 2 * (IDENTITIES_MAX + 1)) throw new NoBatch("too many identities");
    for (let left = texts; left > 0; left -= 1) walk.text();
  }
  operations(walk, walk.head(ARRAY), count);
  if (walk.head(ARRAY) !== count) throw new NoBatch("every operation has its place");
  for (let index = 0; index < count; index += 1) walk.integer(0, entries + 1);
}

function operation(walk: Walk): void {
  const fields = walk.head(ARRAY);
  const code = walk.code();
  const expected = fieldsOf(walk, code, false) + address(walk, code, fields);
  if (fields !== expected) throw new NoBatch(`an operation ${code} has ${expected} fields`);
}

/** Walks over the address of the connection that asks for a session, if it has one. Returns how many fields that is. */
function address(walk: Walk, code: number, fields: number): number {
  const without = FIELDS_WITHOUT_ADDRESS.get(code);
  if (without === undefined || fields !== without + 1) return 0;
  walk.text();
  return 1;
}

const FIELDS_WITHOUT_ADDRESS: ReadonlyMap<number, number> = new Map([
  [BATCH_CODES.createSession, 3],
  [BATCH_CODES.attachSession, 4],
]);

/** Walks over the fields behind an operation's code. Returns how many fields the operation has, with its code. */
function fieldsOf(walk: Walk, code: number, inMulti: boolean): number {
  switch (code) {
    case BATCH_CODES.createSession:
      if (inMulti) break;
      walk.integer(0, INT32_END);
      walk.password();
      return 3;
    case BATCH_CODES.attachSession:
      if (inMulti) break;
      walk.integer(0, ZXID_END);
      walk.integer(0, INT32_END);
      walk.password();
      return 4;
    case BATCH_CODES.expireSession:
      if (inMulti) break;
      walk.integer(0, ZXID_END);
      walk.integer(0, ZXID_END);
      return 3;
    case BATCH_CODES.deleteContainer:
      if (inMulti) break;
      walk.text();
      walk.integer(0, TTL_MS_MAX + 1);
      return 3;
    default:
      walk.integer(0, ZXID_END);
      if (inMulti) walk.integer(0, ZXID_END);
      else walk.attachment();
      return clientFieldsOf(walk, code, inMulti);
  }
  throw new NoBatch(`an operation ${code} in a multi`);
}

function clientFieldsOf(walk: Walk, code: number, inMulti: boolean): number {
  if (inMulti && !IN_MULTI.has(code)) {
    throw new NoBatch(`an operation ${code} in a multi`);
  }
  switch (code) {
    case BATCH_CODES.closeSession:
      return 3;
    case BATCH_CODES.multi:
      multi(walk);
      return 4;
    case BATCH_CODES.sync:
      walk.text();
      return 4;
    case BATCH_CODES.create:
    case CREATE_IF_NOT_EXISTS:
      walk.text();
      walk.data();
      acl(walk);
      walk.integer(0, MODES);
      return 7;
    case CREATE_CONTAINER:
    case CREATE_CONTAINER_IF_NOT_EXISTS:
    case CREATE_TTL:
    case CREATE_TTL_IF_NOT_EXISTS:
      walk.text();
      walk.data();
      acl(walk);
      if (!LASTING_FLAGS.has(walk.code())) throw new NoBatch("an ephemeral with a lifetime");
      if (code === CREATE_CONTAINER || code === CREATE_CONTAINER_IF_NOT_EXISTS) return 7;
      walk.integer(1, TTL_MS_MAX + 1);
      return 8;
    case BATCH_CODES.refusal:
      if (!inMulti) throw new NoBatch("a refusal outside of a multi");
      walk.text();
      walk.integer(-INT32_END, 0);
      return 5;
    case BATCH_CODES.delete:
    case BATCH_CODES.check:
    case BATCH_CODES.checkNotExists:
    case BATCH_CODES.tryRemove:
      walk.text();
      walk.integer(-INT32_END, INT32_END);
      return 5;
    case BATCH_CODES.removeRecursive:
      walk.text();
      walk.integer(0, REMOVE_RECURSIVE_MAX + 1);
      return 5;
    case BATCH_CODES.checkStat:
      walk.text();
      walk.integer(-INT32_END, INT32_END);
      for (let left = STAT_FIELDS.length; left > 0; left -= 1) walk.integer(-INT32_END, SAFE_END);
      return 5 + STAT_FIELDS.length;
    case BATCH_CODES.setData:
      walk.text();
      walk.data();
      walk.integer(-INT32_END, INT32_END);
      return 6;
    case BATCH_CODES.setAcl:
      walk.text();
      acl(walk);
      walk.integer(-INT32_END, INT32_END);
      return 6;
    default:
      throw new NoBatch(`an unknown operation ${code}`);
  }
}

function multi(walk: Walk): void {
  const parts = walk.head(ARRAY);
  for (let index = 0; index < parts; index += 1) {
    const fields = walk.head(ARRAY);
    const code = walk.code();
    if (fieldsOf(walk, code, true) !== fields) throw new NoBatch("a part of a multi is cut short");
  }
}

function acl(walk: Walk): void {
  const entries = walk.head(ARRAY);
  for (let index = 0; index < entries; index += 1) {
    if (walk.head(ARRAY) !== 3) throw new NoBatch("an entry of an ACL has three fields");
    walk.integer(-INT32_END, INT32_END);
    walk.text();
    walk.text();
  }
}

function inRange(value: number, min: number, end: number): void {
  const isFine = Number.isInteger(value) && value >= min && value < end;
  if (!isFine) throw new NoBatch("a number is out of range");
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtNumber(): boolean {
    return (this.#bytes[this.#at] ?? 0) >> 5 === UNSIGNED && this.#at < this.#bytes.length;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new NoBatch("something follows the batch");
  }

  /** Reads the head of an item that must have this type, and returns the count or length in it. */
  head(type: number): number {
    const first = this.#take(1);
    const byte = this.#bytes[first] ?? 0;
    if (byte >> 5 !== type) throw new NoBatch(`a value of type ${byte >> 5}, not ${type}`);
    return this.#argument(byte & 0x1f);
  }

  /** Reads the code of an operation, which is a small integer. */
  code(): number {
    const byte = this.#bytes[this.#take(1)] ?? 0;
    if (byte >> 5 === UNSIGNED) return this.#argument(byte & 0x1f);
    if (byte >> 5 === NEGATIVE) return -1 - this.#argument(byte & 0x1f);
    throw new NoBatch(`a value of type ${byte >> 5}, not a code`);
  }

  /** Reads an integer from `min` to below `end`. Returns nothing: V8 would allocate an object for each large number. */
  integer(min: number, end: number): void {
    const byte = this.#bytes[this.#take(1)] ?? 0;
    if (byte < 24) return inRange(byte, min, end);
    if (byte === FLOAT_64) return inRange(this.#view.getFloat64(this.#take(8)), min, end);
    if (byte >> 5 === UNSIGNED) return inRange(this.#argument(byte & 0x1f), min, end);
    if (byte >> 5 === NEGATIVE) return inRange(-1 - this.#argument(byte & 0x1f), min, end);
    throw new NoBatch(`a value of type ${byte >> 5}, not a number`);
  }

  /** The zxid of an attachment, alone or in an array with the number of a request, and up to which one requests are answered. */
  attachment(): void {
    if ((this.#bytes[this.#at] ?? 0) >> 5 !== ARRAY) return this.integer(0, ZXID_END);
    if (this.head(ARRAY) !== 3)
      throw new NoBatch("an attachment has a number and what is answered");
    this.integer(0, ZXID_END);
    this.integer(0, SAFE_END);
    this.integer(0, SAFE_END);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** Reads a text, whatever is in it. The tree refuses a text that is no path, when it applies the operation. */
  text(): void {
    const length = this.head(TEXT);
    const from = this.#take(length);
    if (!isUtf8(this.#bytes, from, from + length)) throw new NoBatch("a text that is not UTF-8");
  }

  data(): void {
    if (this.#bytes[this.#at] === NULL) this.skip(1);
    else this.skip(this.head(BYTES));
  }

  password(): void {
    const length = this.head(BYTES);
    if (length !== PASSWORD_BYTES) throw new NoBatch("a password of another length");
    this.skip(length);
  }

  #argument(of: number): number {
    if (of < 24) return of;
    if (of === 24) return this.#bytes[this.#take(1)] ?? 0;
    if (of === 25) return this.#view.getUint16(this.#take(2));
    if (of === 26) return this.#view.getUint32(this.#take(4));
    if (of === 27) {
      const at = this.#take(8);
      return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    }
    throw new NoBatch("a length that is not told");
  }

  /** Returns where the next `length` bytes begin, and moves behind them. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new NoBatch("it is cut short");
    this.#at = at + length;
    return at;
  }
}
