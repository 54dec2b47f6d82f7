/** Reads a snapshot of Apache ZooKeeper into a tree. */
import type { Acl } from "../../protocol/acl.ts";
import { OPEN_ACL } from "../../protocol/acl.ts";
import {
  FILE_VERSION,
  OPEN_LIST,
  readAcl,
  readFileHeader,
  readZnode,
  SNAPSHOT_MAGIC,
} from "../../protocol/zookeeper/files/entries.ts";
import { EntrySource, ZookeeperFileDamaged } from "./entry-source.ts";
import { readFileOf, type ZookeeperFile } from "./folder.ts";
import type { ZookeeperTree } from "./tree.ts";

/** Called now and then with how many bytes of the file were read. */
export type OnOffset = (offset: number) => void;

/** Throws `ZookeeperFileDamaged` unless every checksum in the file is right. */
export async function readSnapshot(
  file: ZookeeperFile,
  tree: ZookeeperTree,
  onOffset: OnOffset,
): Promise<void> {
  const source = new EntrySource(file.path, readFileOf(file));
  try {
    await readAll(source, tree, onOffset);
  } catch (error) {
    if (error instanceof ZookeeperFileDamaged || !isOfCompression(error)) throw error;
    throw source.damaged(`it cannot be decompressed: ${String(error)}`);
  }
}

function isOfCompression(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

async function readAll(
  source: EntrySource,
  tree: ZookeeperTree,
  onOffset: OnOffset,
): Promise<void> {
  const { magic, version } = await source.take("its header", readFileHeader);
  if (magic !== SNAPSHOT_MAGIC) throw source.damaged("it does not begin as a snapshot does", 0);
  if (version !== FILE_VERSION) {
    throw source.damaged(`it has format version ${version}, and ${FILE_VERSION} is read here`, 4);
  }
  await readSessions(source, tree);
  const lists = await readLists(source);
  for (;;) {
    const offset = source.offset;
    const entry = await source.take("a znode", readZnode);
    onOffset(source.offset);
    if (entry === undefined) break;
    const acl = entry.list === OPEN_LIST ? OPEN_ACL : lists.get(entry.list);
    if (acl === undefined) {
      throw source.damaged(`${entry.path} has an access control list that is not there`, offset);
    }
    const problem = tree.addZnode(entry, acl);
    if (problem !== undefined) throw source.damaged(problem, offset);
  }
  if (tree.awaited > 0) throw source.damaged(`${tree.awaited} znodes lack their parents`);
  await checkSeals(source);
}

async function readSessions(source: EntrySource, tree: ZookeeperTree): Promise<void> {
  const count = await source.take("the count of sessions", (reader) => reader.int32());
  for (let left = count; left > 0; left -= 1) {
    const { id, timeoutMs } = await source.take("a session", (reader) => ({
      id: reader.int64Exact(),
      timeoutMs: reader.int32(),
    }));
    tree.addSession(id, timeoutMs);
  }
}

async function readLists(source: EntrySource): Promise<ReadonlyMap<bigint, readonly Acl[]>> {
  const lists = new Map<bigint, readonly Acl[]>();
  const count = await source.take("the count of access control lists", (reader) => reader.int32());
  for (let left = count; left > 0; left -= 1) {
    const { number, acl } = await source.take("an access control list", (reader) => ({
      number: reader.int64Exact(),
      acl: readAcl(reader),
    }));
    lists.set(number, acl);
  }
  return lists;
}

/**
 * The first seal is of everything up to the znodes. What later versions have added, a digest and the zxid, is not needed; each has a seal of
 * its own behind it, and the last of them is of the whole file.
 */
async function checkSeals(source: EntrySource): Promise<void> {
  for (const what of ["the znodes", "the digest", "the zxid"]) {
    if (what === "the digest") {
      if (await source.isAtEnd()) return;
      await source.take("the digest", (reader) => {
        reader.int64();
        // Before version 2 it is a text.
        if (reader.int32() < DIGEST_VERSION_WITH_NUMBER) reader.string();
        else reader.int64();
      });
    } else if (what === "the zxid") {
      if (await source.isAtEnd()) return;
      await source.take("the zxid", (reader) => reader.int64());
    }
    const offset = source.offset;
    const { checksum } = source;
    const sealed = await source.take(`the seal of ${what}`, (reader) => {
      const value = reader.int64();
      reader.string();
      return value;
    });
    if (sealed !== checksum) throw source.damaged(`the checksum of ${what} is wrong`, offset);
  }
  if (!(await source.isAtEnd())) throw source.damaged("bytes after the end");
}

const DIGEST_VERSION_WITH_NUMBER = 2;
