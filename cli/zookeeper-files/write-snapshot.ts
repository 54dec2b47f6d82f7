/** Writes a tree as a snapshot of Apache ZooKeeper, from which its versions from 3.4 on start. */
import type { Acl } from "../../protocol/acl.ts";
import { OPEN_ACL } from "../../protocol/acl.ts";
import { JuteWriter } from "../../protocol/jute.ts";
import { CONFIG_PATH } from "../../protocol/paths.ts";
import { adler32 } from "../../protocol/zookeeper/files/adler32.ts";
import {
  OPEN_LIST,
  writeAcl,
  writeFileHeader,
  writeSeal,
  writeZnode,
  writeZnodesEnd,
} from "../../protocol/zookeeper/files/entries.ts";
import { ownerField } from "../../protocol/zookeeper/files/owners.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId, Znodes } from "../../actors/tree/store/znodes.ts";
import type { Output } from "../backup/file/output.ts";

const PIECE_BYTES: number = 256 * 1024;

/** Counts the bytes and their checksum on the way to an output. */
class Sink {
  readonly writer = new JuteWriter();
  readonly #output: Output;
  checksum = 1;
  bytes = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  async flush(least = 0): Promise<void> {
    if (this.writer.length <= least) return;
    const bytes = this.writer.take();
    this.checksum = adler32(bytes, this.checksum);
    this.bytes += bytes.length;
    await this.#output.write(bytes);
  }
}

/** Returns how many bytes were written. */
export async function writeSnapshot(state: TreeState, output: Output): Promise<number> {
  const sink = new Sink(output);
  const { writer } = sink;
  const { znodes, sessions } = state;
  writeFileHeader(writer);
  writer.int32(sessions.size);
  for (const { id, timeoutMs } of sessions.values()) {
    writer.int64(id).int32(timeoutMs);
    await sink.flush(PIECE_BYTES);
  }
  const numbers = await writeLists(sink, znodes);
  for (const znode of parentsFirst(znodes)) {
    writeOne(writer, znodes, znode, numbers);
    await sink.flush(PIECE_BYTES);
  }
  writeZnodesEnd(writer);
  await sink.flush();
  writeSeal(writer, sink.checksum);
  await sink.flush();
  return sink.bytes;
}

/** Writes each list once. Returns the numbers that stand for them, by their text. */
async function writeLists(sink: Sink, znodes: Znodes): Promise<ReadonlyMap<string, bigint>> {
  const lists = new Map<string, { readonly number: bigint; readonly acl: readonly Acl[] }>();
  for (const znode of parentsFirst(znodes)) {
    const acl = znodes.acl(znode);
    if (acl === OPEN_ACL) continue;
    const key = keyOf(acl);
    if (!lists.has(key)) lists.set(key, { number: BigInt(lists.size + 1), acl });
  }
  sink.writer.int32(lists.size);
  for (const { number, acl } of lists.values()) {
    sink.writer.int64Exact(number);
    writeAcl(sink.writer, acl);
    await sink.flush(PIECE_BYTES);
  }
  return new Map([...lists].map(([key, { number }]) => [key, number]));
}

function keyOf(acl: readonly Acl[]): string {
  return JSON.stringify(acl.map(({ permissions, scheme, id }) => [permissions, scheme, id]));
}

function* parentsFirst(znodes: Znodes): Generator<ZnodeId> {
  const root = znodes.find("/");
  const left: ZnodeId[] = root === undefined ? [] : [root];
  for (let znode = left.pop(); znode !== undefined; znode = left.pop()) {
    yield znode;
    znodes.visitChildren(znode, (child) => left.push(child));
  }
}

function writeOne(
  writer: JuteWriter,
  znodes: Znodes,
  znode: ZnodeId,
  numbers: ReadonlyMap<string, bigint>,
): void {
  const path = znodes.path(znode);
  const acl = znodes.acl(znode);
  writeZnode(writer, {
    path: path === "/" ? "" : path,
    // Its servers write there who they are.
    data: path === CONFIG_PATH ? new Uint8Array(0) : znodes.data(znode),
    list: acl === OPEN_ACL ? OPEN_LIST : (numbers.get(keyOf(acl)) ?? OPEN_LIST),
    czxid: znodes.czxid(znode),
    mzxid: znodes.mzxid(znode),
    ctime: znodes.ctime(znode),
    mtime: znodes.mtime(znode),
    version: znodes.version(znode),
    creates: znodes.creates(znode),
    aversion: znodes.aversion(znode),
    owner: ownerField(znodes.ephemeralOwner(znode), znodes.lifetimes.get(znode)),
    pzxid: znodes.pzxid(znode),
  });
}
