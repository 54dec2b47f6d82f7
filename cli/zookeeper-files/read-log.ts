/** Reads the transactions of a log of Apache ZooKeeper. */
import { counterOf, epochOf, EPOCH_MAX, formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { adler32 } from "../../protocol/zookeeper/files/adler32.ts";
import {
  FILE_HEADER_BYTES,
  FILE_VERSION,
  readFileHeader,
} from "../../protocol/zookeeper/files/entries.ts";
import {
  END_OF_TRANSACTION,
  LOG_MAGIC,
  readTransaction,
  type Transaction,
} from "../../protocol/zookeeper/files/transactions.ts";
import { EntrySource } from "./entry-source.ts";
import { readFileOf, type ZookeeperFile } from "./folder.ts";
import type { OnOffset } from "./read-snapshot.ts";
import type { ZookeeperTree } from "./tree.ts";

/** Checksum and length of a transaction. */
const TRANSACTION_START_BYTES = 12;

/**
 * Applies the transactions that come after what the tree holds. Returns a text if the last one was cut short, as a crash leaves it, or if the
 * file is empty. Throws `ZookeeperFileDamaged` where a checksum is wrong, or a transaction is missing before the next.
 */
export async function readLog(
  file: ZookeeperFile,
  tree: ZookeeperTree,
  onOffset: OnOffset,
): Promise<string | undefined> {
  const source = new EntrySource(file.path, readFileOf(file));
  if ((await source.has(FILE_HEADER_BYTES)) < FILE_HEADER_BYTES) {
    return `${file.path} is empty: it was begun when the server stopped`;
  }
  const { magic, version } = await source.take("its header", readFileHeader);
  if (magic !== LOG_MAGIC) throw source.damaged("it does not begin as a log does", 0);
  if (version !== FILE_VERSION) {
    throw source.damaged(`it has format version ${version}, and ${FILE_VERSION} is read here`, 4);
  }
  for (;;) {
    const offset = source.offset;
    const bytes = await nextTransaction(source);
    onOffset(source.offset);
    if (bytes === "end") return undefined;
    if (bytes === "cutShort") {
      return `${file.path} ends within a transaction, at offset ${offset}: it was being written when the server stopped`;
    }
    const transaction = readTransaction(bytes);
    if ("fault" in transaction) throw source.damaged(transaction.fault, offset);
    const problem = applyNext(tree, transaction);
    if (problem !== undefined) throw source.damaged(problem, offset);
  }
}

/** The bytes of a transaction whose checksum is right. Zeros, or nothing, end a log. */
async function nextTransaction(source: EntrySource): Promise<Buffer | "end" | "cutShort"> {
  const offset = source.offset;
  const held = await source.has(TRANSACTION_START_BYTES);
  if (held === 0) return "end";
  if (held < TRANSACTION_START_BYTES) return "cutShort";
  const { checksum, length } = await source.take("a transaction", (reader) => ({
    checksum: reader.int64(),
    length: reader.int32(),
  }));
  if (length === 0 && checksum === 0 && (await isRestZero(source))) return "end";
  if (length <= 0 || length > LENGTH_MAX) {
    throw source.damaged(`a transaction of ${length} bytes`, offset);
  }
  if ((await source.has(length + 1)) < length + 1) return "cutShort";
  const { bytes, end } = await source.take("a transaction", (reader) => ({
    bytes: reader.bytes(length),
    end: reader.byte(),
  }));
  // ZooKeeper writes this byte last. A transaction without it was cut short by a crash if nothing was written behind it.
  if (end === 0 && (await isRestZero(source))) return "cutShort";
  if (end !== END_OF_TRANSACTION) {
    throw source.damaged("a transaction does not end as one does", offset);
  }
  if (adler32(bytes) !== checksum) {
    throw source.damaged("the checksum of a transaction is wrong", offset);
  }
  return Buffer.from(bytes);
}

/** Takes what is left of the file. */
async function isRestZero(source: EntrySource): Promise<boolean> {
  for (;;) {
    const length = await source.has(PIECE_BYTES);
    if (length === 0) return true;
    const bytes = await source.take("zeros", (reader) => reader.bytes(length));
    if (bytes.some((byte) => byte !== 0)) return false;
  }
}

const PIECE_BYTES: number = 64 * 1024;

/** Beyond this a length is no transaction's: it is not believed, and nothing is reserved for it. */
const LENGTH_MAX: number = 64 * 1024 * 1024;

/** Applies the transaction if the tree does not hold it. Returns what is wrong with its place in the log. */
function applyNext(tree: ZookeeperTree, transaction: Transaction): string | undefined {
  const { zxid, timeMs } = transaction;
  if (!Number.isSafeInteger(zxid) || zxid < 0 || epochOf(zxid as Zxid) >= EPOCH_MAX) {
    return `a zxid that zooid does not reach: ${zxid}`;
  }
  if (!Number.isSafeInteger(timeMs) || timeMs < 0) return `a time that is none: ${timeMs}`;
  if (zxid <= tree.zxid) return undefined;
  const isNext = zxid === tree.zxid + 1 || isFirstOfEpoch(zxid as Zxid, tree.zxid);
  if (!isNext) {
    const [last, next] = [formatZxid(tree.zxid), formatZxid(zxid as Zxid)];
    return `the transactions after zxid ${last} and before ${next} are missing`;
  }
  tree.apply(transaction);
  return undefined;
}

function isFirstOfEpoch(zxid: Zxid, after: Zxid): boolean {
  return epochOf(zxid) > epochOf(after) && counterOf(zxid) <= 1;
}
