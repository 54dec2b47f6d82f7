/**
 * The past of one data folder: trees are built of its snapshots and log as replicas build them, with the code of a node's tree, so that what was
 * refused then is no change now. Each tree takes the memory that a lane of a node takes, so this is for a process beside the node's own.
 */
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { ApplyFailure } from "../../actors/tree/apply/apply-failure.ts";
import { LogStop, type Procedure } from "../../actors/log/format/procedure.ts";
import { scanSegment } from "../../actors/log/format/scan.ts";
import { verifySnapshot } from "../../actors/log/format/snapshot-file.ts";
import type { Change } from "../../protocol/reads.ts";
import { recordHeader } from "../../protocol/record.ts";
import { ChunkError } from "../../protocol/snapshot-entries.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { drive, type Readable } from "../offline/drive.ts";
import { segmentsAfter, type SnapshotFile } from "../offline/log-files.ts";
import { OfflineTree, recordUpTo } from "../offline/offline-tree.ts";
import { FolderChanged } from "../offline/read-only-folder.ts";
import { type Cause, causesOf } from "./cause.ts";
import { epochsOf, type EpochSpan } from "./epochs.ts";
import { HistoryError } from "./errors.ts";
import { findRetained, type Retained, type Start } from "./retained.ts";

export type PastFolder = Readable & { close(): void };

export type PastOptions = {
  readonly open: () => PastFolder;
  /** The end of what is committed, asked before the folder is listed. Resolves with undefined if nobody uses the folder. */
  readonly committed: () => Promise<Zxid | undefined>;
  /** The operations that no node has applied (decision 12). */
  readonly skips: readonly Zxid[];
};

export type PastChange = {
  readonly path: string;
  readonly zxid: Zxid;
  /** Makes the change itself, whose data is a view of what the tree keeps. It is called within the visit or not at all. */
  readonly build: () => Change;
  /** Not everybody may read the znode after the change, or could before it was deleted. */
  readonly isClosed: boolean;
  /** When, by the clock of the leader that took it, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Decodes the record. It is called within the visit or not at all. */
  readonly cause: () => Cause;
};

export type TreeThen = {
  readonly tree: OfflineTree;
  /** Its last record was applied to its end, so that the next one can follow. */
  readonly isWhole: boolean;
};

export type Span = { readonly start: Start; readonly after: Zxid; readonly to: Zxid };

/** A snapshot that cannot be begun from. */
class SnapshotDamaged extends Error {
  override readonly name = "SnapshotDamaged";
  readonly file: string;

  constructor(file: string, options?: ErrorOptions) {
    super(`${file} is damaged`, options);
    this.file = file;
  }
}

const ATTEMPTS_MAX = 10;
const BETWEEN_ATTEMPTS_MS = 100;

/**
 * Calls `work` with the past as the folder holds it now, and again if the files were purged while it was read. Throws a `HistoryError`. A snapshot that
 * is damaged is done without.
 */
export async function withPast<Result>(
  options: PastOptions,
  work: (past: Past) => Promise<Result>,
): Promise<Result> {
  const damaged = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    const upTo = await options.committed();
    const folder = options.open();
    try {
      return await work(await Past.open(folder, { upTo, damaged, skips: options.skips }));
    } catch (error) {
      if (error instanceof SnapshotDamaged) {
        damaged.add(error.file);
      } else if (!(error instanceof FolderChanged) || attempt >= ATTEMPTS_MAX) {
        throw historyErrorOf(error);
      }
    } finally {
      folder.close();
    }
    await sleep(BETWEEN_ATTEMPTS_MS);
  }
}

function historyErrorOf(error: unknown): unknown {
  const code = "ZOOID_HISTORY_UNREADABLE";
  if (error instanceof ApplyFailure) {
    const where = `the operation with zxid ${formatZxid(error.zxid)} cannot be applied`;
    return new HistoryError(code, `${where}: ${error.message}`, { cause: error });
  }
  if (error instanceof LogStop || error instanceof FolderChanged) {
    return new HistoryError(code, error.message, { cause: error });
  }
  const isOfSystem = error instanceof Error && "syscall" in error;
  return isOfSystem ? new HistoryError(code, error.message, { cause: error }) : error;
}

export class Past {
  readonly retained: Retained;
  readonly #folder: PastFolder;
  readonly #isInUse: boolean;
  readonly #skips: readonly Zxid[];

  static async open(
    folder: PastFolder,
    {
      upTo,
      damaged,
      skips,
    }: {
      readonly upTo: Zxid | undefined;
      readonly damaged: ReadonlySet<string>;
      readonly skips: readonly Zxid[];
    },
  ): Promise<Past> {
    const retained = await drive(findRetained({ upTo, damaged }, crc32), folder, between);
    if (retained === undefined) throw new Error("a listing is never ended early");
    return new Past(folder, retained, { isInUse: upTo !== undefined, skips });
  }

  private constructor(
    folder: PastFolder,
    retained: Retained,
    { isInUse, skips }: { readonly isInUse: boolean; readonly skips: readonly Zxid[] },
  ) {
    this.#folder = folder;
    this.retained = retained;
    this.#isInUse = isInUse;
    this.#skips = skips;
  }

  /** The zxid at which what is kept begins. */
  get from(): Zxid {
    return this.retained.starts[0].zxid;
  }

  get to(): Zxid {
    return this.retained.to;
  }

  /** Which zxids there are. */
  async epochs(): Promise<readonly EpochSpan[]> {
    const epochs = await drive(epochsOf(this.retained, crc32), this.#folder, between);
    if (epochs === undefined) throw new Error("a walk through the log is never ended early");
    return epochs;
  }

  /** Throws a `HistoryError` if nothing is known of this zxid. */
  check(zxid: Zxid): void {
    const [from, to, asked] = [formatZxid(this.from), formatZxid(this.to), formatZxid(zxid)];
    if (zxid > this.to) {
      throw new HistoryError(
        "ZOOID_ZXID_AHEAD",
        `${asked} is ahead: the last zxid that is known is ${to}`,
      );
    }
    if (zxid < this.from) {
      throw new HistoryError(
        "ZOOID_ZXID_GONE",
        `${asked} is no longer kept: what is kept begins at ${from}. More snapshots keep more: --snapshots-kept`,
      );
    }
  }

  /** The latest beginning that is not after the zxid. */
  startFor(zxid: Zxid): Start {
    return this.retained.starts.findLast((start) => start.zxid <= zxid) ?? this.retained.starts[0];
  }

  /**
   * The tree as it was after the last operation up to this zxid, which `check` has let pass. `before`: one that this has returned for an earlier zxid,
   * and which nobody needs any more. It is gone on with if that is the shorter way.
   */
  async treeAt(zxid: Zxid, before?: TreeThen): Promise<TreeThen> {
    const start = this.startFor(zxid);
    const isNearer = before?.isWhole === true && before.tree.state.lastApplied >= start.zxid;
    const tree = isNearer ? before.tree : await this.#begin(start);
    let isWhole = true;
    await this.#replay(tree, zxid, (record, isCut) => {
      tree.apply(record);
      isWhole = !isCut;
      return true;
    });
    return { tree, isWhole };
  }

  /**
   * Calls `visit` with the changes after `after` up to `to`, in order, until it returns false. Returns the tree as it was behind the last of
   * their records.
   */
  async visit(
    { start, after, to }: Span,
    visit: (change: PastChange) => boolean,
  ): Promise<OfflineTree> {
    const tree = await this.#begin(start);
    await this.#replay(tree, to, (record) => {
      const { lastZxid, timeMs } = recordHeader(record);
      if (lastZxid <= after) {
        tree.apply(record);
        return true;
      }
      const causes = causesOf(record, (session) => tree.addressBefore(session));
      let goesOn = true;
      tree.applyVisiting(record, (path, zxid, build, { isClosed }) => {
        if (!goesOn || zxid <= after) return;
        goesOn = visit({ path, zxid, build, isClosed, timeMs, cause: () => causes(zxid) });
      });
      return goesOn;
    });
    return tree;
  }

  async #begin({ snapshot }: Start): Promise<OfflineTree> {
    const tree = new OfflineTree(this.#skips);
    if (snapshot !== undefined) await this.#load(tree, snapshot);
    return tree;
  }

  async #load(tree: OfflineTree, { file, size, zxid }: SnapshotFile): Promise<void> {
    let isWhole = false;
    try {
      const verdict = await drive(
        verifySnapshot({ name: file, size, zxid }, crc32, (bytes) => {
          isWhole = tree.load(bytes);
        }),
        this.#folder,
        between,
      );
      if (verdict?.kind === "valid" && isWhole) return;
    } catch (error) {
      if (error instanceof ChunkError) throw new SnapshotDamaged(file, { cause: error });
      throw error;
    }
    throw new SnapshotDamaged(file);
  }

  /** Calls `take` with the records behind the tree up to `to`, the last one cut off there, until it returns false. */
  async #replay(
    tree: OfflineTree,
    to: Zxid,
    take: (record: Uint8Array, isCut: boolean) => boolean,
  ): Promise<void> {
    const from = tree.state.lastApplied;
    if (from >= to) return;
    let last = from;
    let isOver = false;
    const follow = recordsAfter(this.retained.segments, from, (bytes) => {
      const header = recordHeader(bytes);
      if (isOver || header.lastZxid <= from) return;
      last = header.lastZxid;
      // The bytes are a view that is valid during this call only.
      const record = recordUpTo({ bytes: bytes.slice(), header }, to);
      isOver = record === undefined || !take(record, last > to) || last >= to;
    });
    await drive(follow, this.#folder, async () => {
      await between();
      return !isOver;
    });
    if (isOver) return;
    if (this.#isInUse) throw new FolderChanged(`the log ends at zxid ${formatZxid(last)} now`);
    throw new HistoryError(
      "ZOOID_HISTORY_UNREADABLE",
      `the log cannot be read beyond zxid ${formatZxid(last)}: zooid inspect says what is wrong with the folder`,
    );
  }
}

function* recordsAfter(
  segments: Retained["segments"],
  zxid: Zxid,
  take: (record: Uint8Array) => void,
): Procedure {
  const { files, prevZxid } = yield* segmentsAfter(segments, zxid, crc32);
  let last = prevZxid ?? zxid;
  for (const { file, size } of files) {
    yield* scanSegment({ file, size, lastZxid: last }, crc32, ({ lastZxid }, bytes) => {
      last = lastZxid;
      take(bytes);
    });
  }
}

/** Lets others of the process have their turn. */
async function between(): Promise<boolean> {
  await setImmediate();
  return true;
}
