/**
 * What stands in Apache ZooKeeper's snapshots, `snapshot.<zxid>`: a header, the sessions, the access control lists by number, the znodes, each
 * parent before its children, and at last a checksum. Sources: its FileSnap, SerializeUtils, DataTree and ReferenceCountedACLCache.
 *
 *   header    magic `ZKSN` 4 | version 4, which is 2 | database 8
 *   sessions  count 4 | each: id 8 | timeout in ms 4
 *   lists     count 4 | each: number 8 | vector of { permissions 4 | scheme, string | id, string }
 *   znodes    each: path, string | data, buffer | number of its list 8, or -1 for the open one | czxid 8 | mzxid 8 | ctime 8 | mtime 8
 *             | version 4 | cversion 4, the count of creates below it | aversion 4 | ephemeralOwner 8 | pzxid 8
 *             the path of the root is empty; the path `/` ends the znodes
 *   seal      Adler-32 of all before it 8 | the string `/`
 *
 * Since 3.6 a digest of the tree may follow, and since 3.9 the zxid again, each with a seal of its own behind it.
 */
import type { Acl } from "../../acl.ts";
import type { JuteReader, JuteWriter } from "../../jute.ts";

export const SNAPSHOT_MAGIC = 0x5a_4b_53_4e;
export const FILE_VERSION = 2;
export const FILE_HEADER_BYTES = 16;
/** As the field of the database in a snapshot. */
export const DATABASE_NONE = -1n;
/** As the number of a list: everybody may do everything. */
export const OPEN_LIST = -1n;

const ACL_BYTES_MIN = 12;

export type FileHeader = { readonly magic: number; readonly version: number };

export function readFileHeader(reader: JuteReader): FileHeader {
  const header = { magic: reader.int32(), version: reader.int32() };
  reader.int64Exact();
  return header;
}

export function readAcl(reader: JuteReader): readonly Acl[] {
  const acl: Acl[] = [];
  for (let left = reader.count(ACL_BYTES_MIN) ?? 0; left > 0; left -= 1) {
    const permissions = reader.int32();
    const scheme = reader.string() ?? "";
    acl.push({ permissions, scheme, id: reader.string() ?? "" });
  }
  return acl;
}

export type ZnodeEntry = {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly list: bigint;
  readonly czxid: number;
  readonly mzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly creates: number;
  readonly aversion: number;
  readonly owner: bigint;
  readonly pzxid: number;
};

/** Reads a znode; undefined at the end of them. */
export function readZnode(reader: JuteReader): ZnodeEntry | undefined {
  const path = reader.string() ?? "";
  if (path === "/") return undefined;
  const data = reader.buffer();
  const list = reader.int64Exact();
  const zxids = { czxid: reader.int64(), mzxid: reader.int64() };
  const times = { ctime: reader.int64(), mtime: reader.int64() };
  const version = reader.int32();
  const creates = reader.int32();
  const aversion = reader.int32();
  const owner = reader.int64Exact();
  const pzxid = reader.int64();
  return { path, data, list, ...zxids, ...times, version, creates, aversion, owner, pzxid };
}

export function writeFileHeader(writer: JuteWriter): void {
  writer.int32(SNAPSHOT_MAGIC).int32(FILE_VERSION).int64Exact(DATABASE_NONE);
}

export function writeAcl(writer: JuteWriter, acl: readonly Acl[]): void {
  writer.int32(acl.length);
  for (const { permissions, scheme, id } of acl) {
    writer.int32(permissions).string(scheme).string(id);
  }
}

export function writeZnode(writer: JuteWriter, znode: ZnodeEntry): void {
  writer.string(znode.path).buffer(znode.data).int64Exact(znode.list);
  writer.int64(znode.czxid).int64(znode.mzxid).int64(znode.ctime).int64(znode.mtime);
  writer.int32(znode.version).int32(znode.creates).int32(znode.aversion);
  writer.int64Exact(znode.owner).int64(znode.pzxid);
}

/** Ends the znodes. */
export function writeZnodesEnd(writer: JuteWriter): void {
  writer.string("/");
}

/** `checksum`: the Adler-32 of all bytes of the file so far. */
export function writeSeal(writer: JuteWriter, checksum: number): void {
  writer.int64(checksum).string("/");
}
