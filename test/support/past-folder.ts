/** A data folder as a log actor writes it, of what a replica applies, and the state of a plain model at every zxid of it. */
import { crc32 } from "node:zlib";
import type { Operation } from "../../protocol/operations.ts";
import type { SessionId } from "../../protocol/ids.ts";
import { type Zxid, zxidOf } from "../../protocol/zxid.ts";
import { MemoryDisk } from "../../runtime/testing/memory-disk.ts";
import { PastReader } from "../../server/history/answers.ts";
import type { PastOptions } from "../../server/history/past.ts";
import { epoch, LogHarness, server1, storeChunk } from "../unit/log/harness.ts";
import { PASSWORD, Replica } from "./replica.ts";
import { cut } from "./snapshots.ts";
import { modelView, TreeModel } from "./tree-model.ts";

/** The znodes by path, as a reader saw them when this was the last operation. */
export type Then = { readonly zxid: Zxid; readonly znodes: Readonly<Record<string, object>> };

export class PastFolderMaker {
  readonly replica: Replica = new Replica({ snapshotChunkBytes: 512 });
  readonly model: TreeModel = new TreeModel();
  /** By rising zxids, one for each operation. */
  readonly thens: Then[] = [];
  readonly #log: LogHarness;
  readonly #disk = new MemoryDisk();
  #epoch = 1;
  /** The next record is the first of its epoch. */
  #isFirst = true;

  /** `snapshotsKept`: as of the node's setting. Segments have 4096 bytes, so that a few hundred operations are several. */
  constructor(snapshotsKept = 2) {
    this.#log = new LogHarness(this.#disk, { snapshotsKept, crc32 });
    this.#log.run();
    this.#log.ask({ kind: "promise", promise: { epoch: epoch(1), candidate: server1 } });
  }

  /** Another leader has been elected. */
  nextEpoch(): void {
    this.#epoch += 1;
    this.#isFirst = true;
    const promise = { epoch: epoch(this.#epoch), candidate: server1 };
    this.#log.ask({ kind: "promise", promise });
  }

  /** A session of a client with this address. */
  session(address?: string): SessionId {
    const of = address === undefined ? {} : { address };
    this.commit({ kind: "createSession", timeoutMs: 10_000, password: PASSWORD, ...of });
    const session = this.replica.lastZxid as number as SessionId;
    this.model.sessions.add(session);
    return session;
  }

  /** One record. Only operations of clients reach the model. */
  commit(...operations: readonly Operation[]): void {
    const first = this.#isFirst ? { firstZxid: zxidOf(epoch(this.#epoch), 1) } : {};
    this.#isFirst = false;
    const record = this.replica.record(operations, first);
    this.#log.ask({ kind: "append", records: [record] });
    this.replica.receive({ kind: "committed", records: [record] });
    for (const [index, operation] of operations.entries()) {
      const zxid = (this.replica.lastZxid - operations.length + 1 + index) as Zxid;
      if (operation.kind === "client") {
        const { session } = operation;
        this.model.apply(session, operation.operation, zxid, this.replica.timeMs);
      }
      this.thens.push({ zxid, znodes: modelView(this.model) });
    }
  }

  /** The log then removes what it does not keep. */
  snapshot(): Zxid {
    const zxid = this.replica.lastZxid;
    const chunks = cut(this.replica);
    for (const index of chunks.keys()) {
      this.#log.ask(storeChunk("tree", { zxid, chunks, index }));
    }
    return zxid;
  }

  get files(): Record<string, Uint8Array> {
    return this.#disk.snapshot();
  }
}

/** `committed`: undefined as of a folder that nobody uses. */
export function pastOf(
  files: Record<string, Uint8Array>,
  change: Partial<PastOptions> = {},
): PastOptions {
  const disk = new MemoryDisk({ files });
  return {
    open: () => ({ perform: (operation) => disk.perform(operation), close: () => undefined }),
    committed: () => Promise.resolve(undefined),
    skips: [],
    ...change,
  };
}

export function readerOf(
  files: Record<string, Uint8Array>,
  change: Partial<PastOptions> = {},
): PastReader {
  return new PastReader(pastOf(files, change));
}
