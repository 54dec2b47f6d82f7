/**
 * The entries in the chunks of a snapshot: one head, then sessions, submitters, skipped operations and znodes in any order. Every entry
 * starts with a byte that says its kind. Integers are big-endian. A `text` is its length in bytes (4) followed by UTF-8; `bytes` are
 * their length (4) followed by the bytes.
 *
 *   head       1  | time of the last record applied 8 | count of sessions 4 | of submitters 4 | of znodes 4
 *   session    2  | id 8 | timeout in ms 4 | attachedAt 8 | password, bytes
 *   session    7  | the same | address, text: one whose connection has an address
 *   requests   8  | session 8 | number of its last numbered write 8; behind the session's entry, if there is one
 *   kept       9  | session 8 | number 8 | zxid 8 | result, bytes: CBOR as in `native-packing.ts`; behind the entry `requests`, by rising numbers
 *   submitter  3  | server 2 | lane 2 | incarnation 8 | seq 8
 *   skipped    5  | zxid 8
 *   configuration 6 | bytes: CBOR as in a record (`configuration.ts`); right behind the head if there is one
 *   znode      4  | flags 1 | path, text | czxid 8 | ctime 8
 *                 | DATA: bytes | CHANGED: mzxid 8, mtime 8, version 4 | PARENT: pzxid 8, creates 4
 *                 | ACL: aversion 4, count 4, each permissions 4, scheme text, id text | OWNER: session 8 | LIFETIME: ms 8
 *
 * A flag says that its fields are present. Without DATA the data is null; without CHANGED, mzxid and mtime are czxid and ctime, and
 * the version is 0; without PARENT, pzxid is czxid and creates is 0; without ACL, the list is the open one and aversion is 0; without
 * OWNER the znode is not ephemeral; without LIFETIME only clients delete it (`lifetime.ts`). The number of a znode's children follows from the other paths.
 */
import { type Acl, isOpenEntry, OPEN_ACL } from "./acl.ts";
import { type Configuration, decodeConfiguration, encodeConfiguration } from "./configuration.ts";
import { SESSION_NONE, type SessionId } from "./ids.ts";
import { decodeKept, encodeKept } from "./kept-results.ts";
import type { Lifetime } from "./lifetime.ts";
import type { KeptResult } from "./operations.ts";
import { type Crc32, getUint53, setUint53 } from "./record.ts";
import { CHUNK_HEADER_BYTES, chunkPayload, sealChunk } from "./snapshot.ts";
import type { Zxid } from "./zxid.ts";

const HEAD = 1;
const SESSION = 2;
const SUBMITTER = 3;
const ZNODE = 4;
const SKIPPED = 5;
const CONFIGURATION = 6;
const SESSION_WITH_ADDRESS = 7;
const REQUESTS = 8;
const KEPT = 9;

const FLAG_DATA = 1;
const FLAG_CHANGED = 2;
const FLAG_PARENT = 4;
const FLAG_ACL = 8;
const FLAG_OWNER = 16;
const FLAG_LIFETIME = 32;

/** The most bytes of a znode's fields of fixed size, together with the lengths of its texts and its kind and flags. */
const ZNODE_FIXED_BYTES = 80;
/** The bytes of an ACL entry without its texts: the permissions and the lengths of the texts. */
const ACL_FIXED_BYTES = 12;

export type SnapshotHead = {
  readonly timeMs: number;
  readonly sessions: number;
  readonly submitters: number;
  readonly znodes: number;
};

export type SnapshotSession = {
  readonly id: SessionId;
  readonly timeoutMs: number;
  readonly attachedAt: Zxid;
  readonly password: Uint8Array;
  /** The address of the connection that attached it. */
  readonly address?: string | undefined;
};

export type SnapshotRequests = { readonly session: SessionId; readonly last: number };
export type SnapshotKept = KeptResult & { readonly session: SessionId };

export type SnapshotSubmitter = {
  readonly server: number;
  readonly lane: number;
  readonly incarnation: number;
  readonly seq: number;
};

export type SnapshotZnode = {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly creates: number;
  readonly aversion: number;
  readonly ephemeralOwner: SessionId;
  readonly lifetime: Lifetime | undefined;
};

/** Byte arrays of an entry are views into the chunk: copy what must outlive it. */
export type SnapshotEntry =
  | { readonly kind: "head"; readonly head: SnapshotHead }
  | { readonly kind: "session"; readonly session: SnapshotSession }
  | { readonly kind: "requests"; readonly requests: SnapshotRequests }
  | { readonly kind: "kept"; readonly kept: SnapshotKept }
  | { readonly kind: "submitter"; readonly submitter: SnapshotSubmitter }
  | { readonly kind: "znode"; readonly znode: SnapshotZnode }
  | { readonly kind: "configuration"; readonly configuration: Configuration }
  /** An operation that is in the log but was not applied. */
  | { readonly kind: "skipped"; readonly zxid: Zxid };

/** Writes entries into one chunk after the other. */
export class ChunkWriter {
  #bytes: Buffer;
  #view: DataView;
  #position = CHUNK_HEADER_BYTES;
  #entries = 0;

  /** `bytes` is the size of the buffer that a chunk should fit into. The buffer grows for a larger entry. */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes + ZNODE_FIXED_BYTES * 4);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The bytes of the chunk so far, with its header. */
  get length(): number {
    return this.#position;
  }

  /** Returns the chunk in a buffer of its own. The next entry begins another chunk. */
  take(header: { zxid: Zxid; index: number; last: boolean }, crc32: Crc32): Uint8Array {
    const chunk = new Uint8Array(this.#position);
    chunk.set(this.#bytes.subarray(CHUNK_HEADER_BYTES, this.#position), CHUNK_HEADER_BYTES);
    sealChunk(chunk, { ...header, entries: this.#entries }, crc32);
    this.#position = CHUNK_HEADER_BYTES;
    this.#entries = 0;
    return chunk;
  }

  head({ timeMs, sessions, submitters, znodes }: SnapshotHead): void {
    this.#begin(HEAD, 21);
    this.#uint53(timeMs);
    this.#uint32(sessions);
    this.#uint32(submitters);
    this.#uint32(znodes);
  }

  session({ id, timeoutMs, attachedAt, password, address }: SnapshotSession): void {
    const kind = address === undefined ? SESSION : SESSION_WITH_ADDRESS;
    this.#begin(kind, 29 + password.length + 3 * (address?.length ?? 0));
    this.#uint53(id);
    this.#uint32(timeoutMs);
    this.#uint53(attachedAt);
    this.#blob(password);
    if (address !== undefined) this.#text(address);
  }

  requests({ session, last }: SnapshotRequests): void {
    this.#begin(REQUESTS, 16);
    this.#uint53(session);
    this.#uint53(last);
  }

  kept({ session, number, zxid, result }: SnapshotKept): void {
    const bytes = encodeKept(result);
    this.#begin(KEPT, 28 + bytes.length);
    this.#uint53(session);
    this.#uint53(number);
    this.#uint53(zxid);
    this.#blob(bytes);
  }

  configuration(configuration: Configuration): void {
    const bytes = encodeConfiguration(configuration);
    this.#begin(CONFIGURATION, 4 + bytes.length);
    this.#blob(bytes);
  }

  skipped(zxid: Zxid): void {
    this.#begin(SKIPPED, 8);
    this.#uint53(zxid);
  }

  submitter({ server, lane, incarnation, seq }: SnapshotSubmitter): void {
    this.#begin(SUBMITTER, 21);
    this.#view.setUint16(this.#position, server);
    this.#view.setUint16(this.#position + 2, lane);
    this.#position += 4;
    this.#uint53(incarnation);
    this.#uint53(seq);
  }

  znode(node: SnapshotZnode): void {
    const { path, data, acl, aversion, lifetime } = node;
    const changed = node.mzxid !== node.czxid || node.mtime !== node.ctime || node.version !== 0;
    const parent = node.pzxid !== node.czxid || node.creates !== 0;
    const listed = acl !== OPEN_ACL || aversion !== 0;
    const owned = node.ephemeralOwner !== SESSION_NONE;
    const dataBytes = data === null ? 0 : data.length;
    this.#begin(ZNODE, ZNODE_FIXED_BYTES + path.length * 3 + dataBytes);
    this.#bytes[this.#position] =
      (data === null ? 0 : FLAG_DATA) |
      (changed ? FLAG_CHANGED : 0) |
      (parent ? FLAG_PARENT : 0) |
      (listed ? FLAG_ACL : 0) |
      (owned ? FLAG_OWNER : 0) |
      (lifetime === undefined ? 0 : FLAG_LIFETIME);
    this.#position += 1;
    this.#text(path);
    this.#uint53(node.czxid);
    this.#uint53(node.ctime);
    if (data !== null) this.#blob(data);
    if (changed) {
      this.#uint53(node.mzxid);
      this.#uint53(node.mtime);
      this.#uint32(node.version);
    }
    if (parent) {
      this.#uint53(node.pzxid);
      this.#uint32(node.creates);
    }
    if (listed) this.#acl(aversion, acl);
    this.#ensure(16);
    if (owned) this.#uint53(node.ephemeralOwner);
    if (lifetime !== undefined) this.#uint53(lifetime);
  }

  #acl(aversion: number, acl: readonly Acl[]): void {
    this.#ensure(8);
    this.#uint32(aversion);
    this.#uint32(acl.length);
    for (const { permissions, scheme, id } of acl) {
      this.#ensure(ACL_FIXED_BYTES + (scheme.length + id.length) * 3);
      this.#uint32(permissions);
      this.#text(scheme);
      this.#text(id);
    }
  }

  #begin(kind: number, bytes: number): void {
    this.#ensure(1 + bytes);
    this.#bytes[this.#position] = kind;
    this.#position += 1;
    this.#entries += 1;
  }

  #uint32(value: number): void {
    this.#view.setUint32(this.#position, value);
    this.#position += 4;
  }

  #uint53(value: number): void {
    setUint53(this.#view, this.#position, value);
    this.#position += 8;
  }

  #blob(value: Uint8Array): void {
    this.#uint32(value.length);
    this.#bytes.set(value, this.#position);
    this.#position += value.length;
  }

  #text(value: string): void {
    const bytes = this.#bytes;
    const start = this.#position + 4;
    // Nearly all texts are short and ASCII, and for these the loop is faster than a call of native code.
    for (let index = 0; index < value.length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) {
        const written = bytes.write(value, start, "utf8");
        this.#uint32(written);
        this.#position += written;
        return;
      }
      bytes[start + index] = unit;
    }
    this.#uint32(value.length);
    this.#position += value.length;
  }

  #ensure(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(needed * 2);
    this.#bytes.copy(grown, 0, 0, this.#position);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** A chunk with a right checksum contains what no writer makes: the writer was faulty, or the format is another. */
export class ChunkError extends Error {
  override readonly name = "ChunkError";
  constructor(what: string, options?: ErrorOptions) {
    super(`a snapshot that verifies cannot be read: ${what}`, options);
  }
}

/** Reads the entries of a verified chunk. Throws a `ChunkError` on what no writer makes. */
export class ChunkReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #position = 0;

  constructor(chunk: Uint8Array) {
    const { buffer, byteOffset, length } = chunkPayload(chunk);
    this.#bytes = Buffer.from(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
  }

  /** Returns the next entry; undefined at the end of the chunk. */
  next(): SnapshotEntry | undefined {
    if (this.#position === this.#bytes.length) return undefined;
    try {
      return this.#entry();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ChunkError("an entry goes on beyond its chunk", { cause: error });
    }
  }

  #entry(): SnapshotEntry {
    const kind = this.#uint8();
    switch (kind) {
      case ZNODE:
        return { kind: "znode", znode: this.#znode() };
      case SESSION:
      case SESSION_WITH_ADDRESS:
        return { kind: "session", session: this.#session(kind) };
      case REQUESTS: {
        const session = this.#uint53() as SessionId;
        return { kind: "requests", requests: { session, last: this.#uint53() } };
      }
      case KEPT:
        return { kind: "kept", kept: this.#kept() };
      case SUBMITTER:
        return { kind: "submitter", submitter: this.#submitter() };
      case SKIPPED:
        return { kind: "skipped", zxid: this.#uint53() as Zxid };
      case CONFIGURATION:
        return { kind: "configuration", configuration: this.#configuration() };
      case HEAD:
        return { kind: "head", head: this.#head() };
      default:
        throw new ChunkError(`an entry has the unknown kind ${kind}`);
    }
  }

  #head(): SnapshotHead {
    const timeMs = this.#uint53();
    const sessions = this.#uint32();
    const submitters = this.#uint32();
    return { timeMs, sessions, submitters, znodes: this.#uint32() };
  }

  #configuration(): Configuration {
    const bytes = this.#blob();
    let configuration: Configuration | undefined;
    try {
      configuration = decodeConfiguration(bytes);
    } catch (error) {
      throw new ChunkError("a configuration that cannot be read", { cause: error });
    }
    if (configuration === undefined) throw new ChunkError("what is no configuration");
    return configuration;
  }

  #session(kind: number): SnapshotSession {
    const id = this.#uint53() as SessionId;
    const timeoutMs = this.#uint32();
    const attachedAt = this.#uint53() as Zxid;
    const password = this.#blob();
    const address = kind === SESSION_WITH_ADDRESS ? this.#text() : undefined;
    return { id, timeoutMs, attachedAt, password, address };
  }

  #kept(): SnapshotKept {
    const session = this.#uint53() as SessionId;
    const number = this.#uint53();
    const zxid = this.#uint53() as Zxid;
    const bytes = this.#blob();
    try {
      return { session, number, zxid, result: decodeKept(bytes) };
    } catch (error) {
      throw new ChunkError("a result that cannot be read", { cause: error });
    }
  }

  #submitter(): SnapshotSubmitter {
    const server = this.#uint16();
    const lane = this.#uint16();
    const incarnation = this.#uint53();
    return { server, lane, incarnation, seq: this.#uint53() };
  }

  #znode(): SnapshotZnode {
    const flags = this.#uint8();
    const path = this.#text();
    const czxid = this.#uint53() as Zxid;
    const ctime = this.#uint53();
    const data = (flags & FLAG_DATA) === 0 ? null : this.#blob();
    const changed = (flags & FLAG_CHANGED) !== 0;
    const mzxid = changed ? (this.#uint53() as Zxid) : czxid;
    const mtime = changed ? this.#uint53() : ctime;
    const version = changed ? this.#int32() : 0;
    const parent = (flags & FLAG_PARENT) !== 0;
    const pzxid = parent ? (this.#uint53() as Zxid) : czxid;
    const creates = parent ? this.#int32() : 0;
    const listed = (flags & FLAG_ACL) !== 0;
    const aversion = listed ? this.#int32() : 0;
    const acl = listed ? this.#acl() : OPEN_ACL;
    const ephemeralOwner =
      (flags & FLAG_OWNER) === 0 ? SESSION_NONE : (this.#uint53() as SessionId);
    const lifetime = (flags & FLAG_LIFETIME) === 0 ? undefined : (this.#uint53() as Lifetime);
    const stat = { czxid, mzxid, pzxid, ctime, mtime, version, creates, aversion };
    return { path, data, acl, ...stat, ephemeralOwner, lifetime };
  }

  #acl(): readonly Acl[] {
    const acl: Acl[] = [];
    for (let left = this.#uint32(); left > 0; left -= 1) {
      const permissions = this.#int32();
      const scheme = this.#text();
      acl.push({ permissions, scheme, id: this.#text() });
    }
    // The open list is known by its one object. Here it was set at least once.
    const [entry] = acl;
    return acl.length === 1 && entry !== undefined && isOpenEntry(entry) ? OPEN_ACL : acl;
  }

  #uint8(): number {
    const value = this.#view.getUint8(this.#position);
    this.#position += 1;
    return value;
  }

  #uint16(): number {
    const value = this.#view.getUint16(this.#position);
    this.#position += 2;
    return value;
  }

  #uint32(): number {
    const value = this.#view.getUint32(this.#position);
    this.#position += 4;
    return value;
  }

  #int32(): number {
    return this.#uint32() | 0;
  }

  #uint53(): number {
    const value = getUint53(this.#view, this.#position);
    this.#position += 8;
    if (value > Number.MAX_SAFE_INTEGER) throw new ChunkError("a number has more than 53 bits");
    return value;
  }

  #blob(): Uint8Array {
    const start = this.#take(this.#uint32());
    return this.#bytes.subarray(start, this.#position);
  }

  #text(): string {
    const start = this.#take(this.#uint32());
    const end = this.#position;
    for (let index = start; index < end; index += 1) {
      if ((this.#bytes[index] as number) >= 0x80) return this.#bytes.toString("utf8", start, end);
    }
    return this.#bytes.toString("latin1", start, end);
  }

  /** Returns where the next `length` bytes begin, and moves behind them. */
  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) throw new RangeError("beyond the chunk");
    this.#position = start + length;
    return start;
  }
}
