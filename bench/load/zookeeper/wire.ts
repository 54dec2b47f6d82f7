/**
 * ZooKeeper's TCP protocol as the load generator needs it. A request frame is made once, and its xid is patched in place; the reader
 * looks only at the headers of replies. Every frame is an int32 length and that many bytes; all numbers are big-endian.
 */
import { Buffer } from "node:buffer";

const OP_CREATE = 1;
const OP_DELETE = 2;
const OP_GET_DATA = 4;
const OP_SET_DATA = 5;
const OP_GET_CHILDREN = 8;
const OP_MULTI = 14;
const OP_ADD_WATCH = 106;
const OP_CLOSE_SESSION = -11;

export const CODE_OK = 0;
export const CODE_NODE_EXISTS = -110;
/** How a persistent watch of a znode and all below it is asked for. */
const ADD_WATCH_PERSISTENT_RECURSIVE = 1;

export type CreateFlags = { readonly ephemeral?: boolean; readonly sequential?: boolean };

/** The offset of the xid in a request frame: behind the frame's length. */
const XID_OFFSET = 4;
/** The length of the frame (4), the xid (4), the zxid (8) and the error (4). */
const REPLY_HEADER_BYTES = 20;
const PASSWORD_BYTES = 16;
const PERMISSIONS_ALL = 31;
/** A reply longer than this is not ZooKeeper's protocol (its jute.maxbuffer is 1 MiB, and servers may double it). */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/** A server sent bytes that are not ZooKeeper's protocol, or not allowed at this point of it. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** Returns the first frame of a connection, which asks for a new session. */
export function connectFrame(timeoutMs: number): Buffer {
  const body = Buffer.alloc(4 + 8 + 4 + 8 + 4 + PASSWORD_BYTES + 1);
  body.writeInt32BE(timeoutMs, 12);
  body.writeInt32BE(PASSWORD_BYTES, 24);
  return framed(body);
}

export type ConnectReply = { readonly timeoutMs: number; readonly sessionId: bigint };

/** Reads the answer to `connectFrame`, without its length. Servers before 3.4 omit the last byte (readOnly). */
export function parseConnectReply(body: Buffer): ConnectReply {
  if (body.length < 36 || body.length > 37) {
    throw new WireError(`a connect reply has 36 or 37 bytes, this has ${body.length}`);
  }
  return { timeoutMs: body.readInt32BE(4), sessionId: body.readBigInt64BE(8) };
}

/** Returns a request that creates a znode with the open ACL (world:anyone, all permissions). */
export function createFrame(path: string, data: Uint8Array, flags: CreateFlags = {}): Buffer {
  return requestFrame(OP_CREATE, createFields(path, data, flags));
}

function createFields(path: string, data: Uint8Array, flags: CreateFlags): Buffer[] {
  const number = (flags.ephemeral === true ? 1 : 0) + (flags.sequential === true ? 2 : 0);
  return [
    lengthPrefixed(Buffer.from(path)),
    lengthPrefixed(data),
    int32(1),
    int32(PERMISSIONS_ALL),
    lengthPrefixed(Buffer.from("world")),
    lengthPrefixed(Buffer.from("anyone")),
    int32(number),
  ];
}

/** Returns a request that deletes a znode, whatever its version is. */
export function deleteFrame(path: string): Buffer {
  return requestFrame(OP_DELETE, [lengthPrefixed(Buffer.from(path)), int32(-1)]);
}

/** Returns a request that reads a znode, and leaves a one-shot watch if it is asked to. */
export function getDataFrame(path: string, watch = false): Buffer {
  const flag = Buffer.from([watch ? 1 : 0]);
  return requestFrame(OP_GET_DATA, [lengthPrefixed(Buffer.from(path)), flag]);
}

/** Returns a request for the names of a znode's children. It sets no watch. */
export function getChildrenFrame(path: string): Buffer {
  return requestFrame(OP_GET_CHILDREN, [lengthPrefixed(Buffer.from(path)), Buffer.from([0])]);
}

/** Returns a request for a persistent watch of a znode and all below it, which ZooKeeper has offered since 3.6. */
export function addWatchFrame(path: string): Buffer {
  const fields = [lengthPrefixed(Buffer.from(path)), int32(ADD_WATCH_PERSISTENT_RECURSIVE)];
  return requestFrame(OP_ADD_WATCH, fields);
}

export type MultiOperation =
  | { readonly kind: "create"; readonly path: string; readonly data: Uint8Array }
  | { readonly kind: "set"; readonly path: string; readonly data: Uint8Array };

/** Returns a request that does all of the operations or none. */
export function multiFrame(operations: readonly MultiOperation[]): Buffer {
  const fields = operations.flatMap(({ kind, path, data }) => {
    const isCreate = kind === "create";
    const header = [int32(isCreate ? OP_CREATE : OP_SET_DATA), Buffer.from([0]), int32(-1)];
    return [...header, ...(isCreate ? createFields(path, data, {}) : setDataFields(path, data))];
  });
  return requestFrame(OP_MULTI, [...fields, int32(-1), Buffer.from([1]), int32(-1)]);
}

/** Returns a request that sets the data of a znode, whatever its version is. */
export function setDataFrame(path: string, data: Uint8Array): Buffer {
  return requestFrame(OP_SET_DATA, setDataFields(path, data));
}

function setDataFields(path: string, data: Uint8Array): Buffer[] {
  return [lengthPrefixed(Buffer.from(path)), lengthPrefixed(data), int32(-1)];
}

export function closeSessionFrame(): Buffer {
  return requestFrame(OP_CLOSE_SESSION, []);
}

/** Writes `xid` into the request frame that starts at `frameOffset`. */
export function patchXid(frames: Uint8Array, frameOffset: number, xid: number): void {
  const offset = frameOffset + XID_OFFSET;
  frames[offset] = xid >>> 24;
  frames[offset + 1] = xid >>> 16;
  frames[offset + 2] = xid >>> 8;
  frames[offset + 3] = xid;
}

/** Writes `value` as `digits` decimal digits with leading zeros. The last digit is at `end - 1`. */
export function patchDigits(
  frames: Uint8Array,
  end: number,
  { digits, value }: { readonly digits: number; readonly value: number },
): void {
  let left = value;
  for (let offset = end - 1; offset >= end - digits; offset -= 1) {
    const tenth = Math.floor(left / 10);
    frames[offset] = 48 + left - tenth * 10;
    left = tenth;
  }
}

export type ReplyHandler = (xid: number, error: number) => void;

/**
 * Finds the headers in a stream of replies, however reads divide it. It skips the bodies, and keeps no reference to the bytes of a
 * read.
 */
export class ReplyReader {
  readonly #onReply: ReplyHandler;
  readonly #partial: Uint8Array = new Uint8Array(REPLY_HEADER_BYTES);
  #partialLength = 0;
  #skip = 0;

  constructor(onReply: ReplyHandler) {
    this.#onReply = onReply;
  }

  push(chunk: Uint8Array, length: number): void {
    let offset = 0;
    if (this.#partialLength > 0) offset = this.#completePartial(chunk, length);
    let skip = this.#skip;
    for (;;) {
      if (skip > length - offset) {
        this.#skip = skip - (length - offset);
        return;
      }
      offset += skip;
      if (length - offset < REPLY_HEADER_BYTES) break;
      skip = this.#header(chunk, offset);
      offset += REPLY_HEADER_BYTES;
    }
    this.#skip = 0;
    // There are at most 19 bytes, for which a loop is faster than a view and a copy.
    while (offset < length) {
      this.#partial[this.#partialLength] = chunk[offset] ?? 0;
      this.#partialLength += 1;
      offset += 1;
    }
  }

  /** Completes a header that began in an earlier read. Returns how many bytes of this read it took. */
  #completePartial(chunk: Uint8Array, length: number): number {
    let offset = 0;
    while (offset < length && this.#partialLength < REPLY_HEADER_BYTES) {
      this.#partial[this.#partialLength] = chunk[offset] ?? 0;
      this.#partialLength += 1;
      offset += 1;
    }
    if (this.#partialLength === REPLY_HEADER_BYTES) {
      this.#partialLength = 0;
      this.#skip = this.#header(this.#partial, 0);
    }
    return offset;
  }

  /** Reports the header, and returns how many bytes of body follow it. */
  #header(bytes: Uint8Array, offset: number): number {
    const length = int32At(bytes, offset);
    const body = length - (REPLY_HEADER_BYTES - 4);
    if (body < 0 || body > REPLY_BYTES_MAX) {
      throw new WireError(`a reply of ${length} bytes is not ZooKeeper's protocol`);
    }
    this.#onReply(int32At(bytes, offset + 4), int32At(bytes, offset + 16));
    return body;
  }
}

function int32At(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}

function requestFrame(operation: number, fields: readonly Uint8Array[]): Buffer {
  const xidPatchedLater = int32(0);
  return framed(Buffer.concat([xidPatchedLater, int32(operation), ...fields]));
}

function framed(body: Uint8Array): Buffer {
  return lengthPrefixed(body);
}

function lengthPrefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([int32(bytes.length), bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
